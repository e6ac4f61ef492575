/** The words the widget shares with the server and with the page around it. */

/** What kind of page the shopper is on. */
export type Page =
  | "HOME"
  | "LISTING"
  | "CATEGORY"
  | "COLLECTION"
  | "BRAND"
  | "PRODUCT"
  | "CART"
  | "SEARCH"
  | "OTHER";

export type Device = "DESKTOP" | "ANDROID" | "IOS" | "OTHER";

/** What a page says about itself, in attributes of the element or of the script tag. */
export interface Options {
  /** Where saleor-nudges answers, ending in a slash; requests go below it. */
  endpoint: string;
  /** The slug of Saleor's sales channel. */
  channel: string;
  page: Page;
  /** Saleor's global id of the product that this page is about. */
  product: string | null;
  /** Saleor's global id of the category that this page is about. */
  category: string | null;
  /** Saleor's language code, as `PT_BR`; the server's texts and the relative time follow it. */
  languageCode: string | null;
  /** Hex SHA-256 of the checkout's global id. Never the id: whoever holds it can read the checkout. */
  checkout: string | null;
  /** `<user id>.<hex HMAC-SHA256>`, signed by the shop's server. */
  user: string | null;
  /** Which shop, where one service answers for several. */
  shop: string | null;
  /** What the close button is called for those who hear it. */
  closeLabel: string;
}

export type NudgeCategory = "RECENT_PURCHASE" | "POPULARITY" | "RECENT_SUMMARY" | "FRICTION";

/** One true sentence about the shop. */
export interface Nudge {
  id: string;
  type: string;
  category: NudgeCategory | string;
  title: string;
  text: string;
  product: { id: string; name: string; slug: string } | null;
  image: string | null;
  href: string | null;
  /** When it happened; null where the sentence speaks of a span of time instead. */
  occurredAt: string | null;
  /** The proof behind the sentence, as the server gave it. */
  evidence: unknown;
  /** Where it belongs: `TOAST`, or the name of a place in the page. */
  slot: string;
}

/** How the seller wants nudges to look and behave. Times are in seconds. */
export interface Display {
  enabled: boolean;
  position: { desktop: "BOTTOM_LEFT" | "BOTTOM_RIGHT"; mobile: "TOP" | "BOTTOM" };
  theme: "LIGHT" | "DARK" | "AUTO";
  highlight: string | null;
  initialDelay: number;
  gap: number;
  duration: number;
  maxPerPage: number;
  maxPerSession: number;
}

/** The server's answer to `GET v1/nudges`. */
export interface Feed {
  nudges: Nudge[];
  display: Display;
  /** Ask again after so many seconds; null: do not. */
  pollAfter: number | null;
}

/** What the shopper did, as it is sent to `POST v1/events`. */
export interface ShopperEvent {
  /** UUIDv7: the same event sent twice counts once. */
  id: string;
  kind: string;
  at: string;
  channel: string;
  product?: string;
  variant?: string;
  page?: string;
  nudge?: string;
  data?: Record<string, unknown>;
}

/** Why a nudge left the screen. */
export type CloseReason = "USER" | "TIMEOUT" | "WITHDRAWN" | "STOPPED";

/** `window.saleorNudges`: what a page's own code may ask of the widget. */
export interface SaleorNudges {
  /** Reports something that only the page can know, as `added_to_cart`. */
  track(kind: string, data?: Record<string, unknown>): void;
  /** Takes everything off the screen; nothing is asked, stored or sent until `resume()`. */
  stop(): void;
  resume(): void;
}

declare global {
  interface Window {
    saleorNudges?: SaleorNudges;
  }
}

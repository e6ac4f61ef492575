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
  /** Products listed on this page, for the places beside them; empty: those that have a place. */
  products: string[];
  /** What the page says of its visitor's agreement; null: whatever the seller's settings ask for. */
  consent: "REQUIRED" | "GIVEN" | null;
  /** Paths of the shop's checkout, where the seller may want it quiet. */
  checkoutPaths: string[];
  /** What the close button is called for those who hear it. */
  closeLabel: string;
  /** What those who hear the page are told when a nudge is taken back, before its title. */
  withdrawnLabel: string;
}

export type NudgeCategory = "RECENT_PURCHASE" | "POPULARITY" | "RECENT_SUMMARY" | "FRICTION";

/** One true sentence about the shop. */
export interface Nudge {
  id: string;
  type: string;
  category: NudgeCategory | string;
  /** A word or two above the title, as the seller chose. */
  tag: string | null;
  title: string;
  text: string;
  product: { id: string; name: string; slug: string } | null;
  image: string | null;
  href: string | null;
  /** When it happened; null where the sentence speaks of a span of time instead. */
  occurredAt: string | null;
  /** Whether the seller wants that time to be told. */
  showTime: boolean;
  /** A colour of its own, `#rrggbb`; null: the one of `display`. */
  highlight: string | null;
  /** The proof behind the sentence, as the server gave it. */
  evidence: unknown;
  /** Where it belongs: `TOAST`, or `INLINE`: in the page, beside its product. */
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
  /** The devices that nudges are shown on; null: on all. */
  devices: string[] | null;
  /** Nothing is shown in the cart and the checkout. */
  quietInCheckout: boolean;
  /** Whether the page must hear from its visitor first; null where the server could not tell. */
  consentMode: "OPT_IN" | "OPT_OUT" | null;
}

/** The server's answer to `GET v1/nudges`. */
export interface Feed {
  nudges: Nudge[];
  display: Display;
  /** Of the nudges said to be on the page, those that must go; null from a server that cannot tell. */
  withdrawn: string[] | null;
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

/** Why a nudge left the page. */
export type CloseReason = "USER" | "TIMEOUT" | "WITHDRAWN" | "STOPPED";

/** `window.saleorNudges`: what a page's own code may ask of the widget. */
export interface SaleorNudges {
  /** Reports something that only the page can know, as `added_to_cart`. */
  track(kind: string, data?: Record<string, unknown>): void;
  /**
   * Takes everything off the page; nothing is asked, stored or sent until `resume()`, not even
   * what waits to be. With `forget`, what is stored in the browser goes, too.
   */
  stop(how?: { forget?: boolean }): void;
  /** The visitor agreed, or the page has finished with whatever it called `stop()` for. */
  resume(): void;
}

declare global {
  interface Window {
    saleorNudges?: SaleorNudges;
  }
}

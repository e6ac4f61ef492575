/** The words the widget shares with the server and with the page around it. */

/** The attributes of `<saleor-nudges>`; the script tag has the same with `data-` before each. */
export const ATTRIBUTES = [
  "endpoint",
  "channel",
  "page",
  "product",
  "category",
  "language-code",
  "checkout",
  "user",
  "shop",
  "products",
  "consent",
  "checkout-path",
  "close-label",
  "withdrawn-label",
] as const;

/**
 * What a page says about itself, in its own words: `endpoint`, where saleor-nudges answers; `channel`,
 * the slug of Saleor's sales channel; `checkout`, hex SHA-256 of the checkout's global id and never the
 * id, because whoever holds it can read the checkout; `user`, `<user id>.<hex HMAC-SHA256>`, signed by
 * the shop's server. The README tells the rest.
 */
export type Options = { endpoint: string; channel: string } & {
  [Name in (typeof ATTRIBUTES)[number]]?: string | undefined;
};

export type NudgeCategory = "RECENT_PURCHASE" | "POPULARITY" | "RECENT_SUMMARY" | "FRICTION";

/** One true sentence about the shop. */
export interface Nudge {
  id: string;
  type: string;
  category: NudgeCategory | string;
  /** A word or two above the title, as the seller chose. */
  tag: string | null;
  /** Empty where the text says it as well. */
  title: string;
  text: string;
  product: { id: string; name: string; slug: string } | null;
  image: string | null;
  /** The drawing of its kind, where there is no picture: a path on a grid of 24. */
  icon: string;
  href: string | null;
  /** When it happened; null where the sentence speaks of a span of time instead. */
  occurredAt: string | null;
  /** Whether the seller wants that time to be told. */
  showTime: boolean;
  /** A colour of its own, `#rrggbb`; null: the one of `display`. */
  highlight: string | null;
  /** The proof behind the sentence, as the server gave it. */
  evidence: Evidence | null;
  /** Where it belongs: `TOAST`, or `INLINE`: in the page, beside its product. */
  slot: string;
}

/** How a number was come by. */
export interface Evidence {
  metric?: string;
  value?: number;
  /** The span of time that was looked at; null where there is none. */
  windowSeconds?: number | null;
  computedAt?: string;
}

/** The widget's own words in one language, as `GET v1/words` gives them. */
export interface Wording {
  language: string;
  close: string;
  withdrawn: string;
  why: string;
  less: string;
  off: string;
  /** With `{time}` in it. */
  counted: string;
  preview: string;
  /** How each kind of nudge is come by; with `{window}` where it looks at a span of time. */
  about: Record<string, string>;
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
  /** A contact typed in the checkout is told, if the visitor agreed. */
  capturesContact: boolean;
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

/** What the loader reads of the server's answer to `GET v1/nudges`. */
export interface Answer {
  nudges: unknown[];
  /** Empty where the server is in trouble. */
  display: Pick<Display, "consentMode" | "initialDelay" | "capturesContact">;
  /** Ask again after so many seconds; null: do not. */
  pollAfter: number | null;
}

/** How the visitor is known to the server: by the anonymous token, the checkout and the account. */
export interface Sender {
  channel: string;
  shop?: string | undefined;
  user?: string | undefined;
  token?: string | undefined;
  checkout?: string | undefined;
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
  page?: string | undefined;
  nudge?: string;
  data?: Record<string, unknown>;
}

/** A visitor on one page: what the loader tells the other files. */
export interface Visit {
  element: HTMLElement;
  options: Options;
  /** False: the browser says no. Nothing is kept but what the visitor chose themselves. */
  followed: boolean;
  /** A seller looks at a draft: it counts nothing. */
  draft: string | null;
  /** True: the page is another by now, or wants nothing more of us. */
  over: boolean;
  /** When it began, in seconds of the page. */
  since: number;
  report(kind: string, data?: Record<string, unknown>): void;
  /** What the server answers at `v1/`. */
  request<Given>(what: string, body?: object): Promise<Given>;
}

/** All that is seen: `createView(visit)` in view.ts. */
export interface View {
  /** What to ask: of which products, and whether what is shown still stands; `exclude` is the rest. */
  asks(exclude: string): object;
  /** The server's answer to that. */
  accept(answer: unknown): void;
  /** The page may have gone behind another, or come back. */
  update(): void;
  /** A request failed: what was confirmed too long ago goes. */
  lapse(): void;
  end(): void;
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
  /**
   * The visitor agreed, or the page has finished with whatever it called `stop()` for. With
   * `forget`, what they had switched off comes back.
   */
  resume(how?: { forget?: boolean }): void;
}

declare global {
  interface Navigator {
    globalPrivacyControl?: boolean;
  }
  interface Window {
    saleorNudges?: SaleorNudges;
  }
}

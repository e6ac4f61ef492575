import { MODEST } from "./modest.ts";
import { parseFeed } from "./parse-feed.ts";
import { retryAfter } from "./retry-after.ts";
import type { Device, Feed, Options } from "./types.ts";

/** More than a page shows as toasts, so that what must be left out leaves enough. */
const COUNT = 10;
/** As many as one request may name. */
export const MOST_SHOWN = 20;
const MOST_PRODUCTS = 50;
/** A server that was away is asked again so soon, in seconds: what is shown must not grow old. */
const AGAIN = 10;
/** An answer that takes longer is not waited for. */
const PATIENCE = 10_000;

/** Ask at once, otherwise than before. */
type Otherwise = "WITH_NEW_TOKEN" | "WITHOUT_PRODUCTS";

/** Either the feed, or when to ask again: in so many seconds, otherwise than before, or (null) never. */
export type Answer = { feed: Feed } | { retryIn: number | Otherwise | null };

/** What a request says beside the page's options. */
export interface Ask {
  token: string | null;
  device: Device;
  exclude: string[];
  /** What is on the page, at most MOST_SHOWN: its withdrawal is told. */
  shown: string[];
  /** Products with a place beside them. */
  products: string[];
}

/** Asks for the nudges of this page. Never throws. */
export function fetchNudges(options: Options, ask: Ask, signal: AbortSignal): Promise<Answer> {
  return get(nudgesAddress(options, ask), signal, {
    400: ask.products.length > 0 && "WITHOUT_PRODUCTS",
    401: ask.token !== null && "WITH_NEW_TOKEN",
  });
}

/** Asks only for the seller's settings, in words that are the same for every visitor. Never throws. */
export function fetchDisplay(options: Options, signal: AbortSignal): Promise<Answer> {
  const { endpoint, channel, shop } = options;
  return get(addressOf(endpoint, { channel, count: "0", shop }), signal);
}

async function get(
  address: string,
  signal: AbortSignal,
  otherwise: Record<number, Otherwise | false> = {},
): Promise<Answer> {
  const off = new AbortController();
  const stop = () => off.abort();
  const timer = setTimeout(stop, PATIENCE);
  signal.addEventListener("abort", stop, { signal: off.signal });
  try {
    signal.throwIfAborted();
    const response = await fetch(address, { ...MODEST, signal: off.signal });
    const { ok, status, headers } = response;
    if (!ok) return { retryIn: otherwise[status] || again(status, headers) };
    const feed = parseFeed(await response.json(), document.baseURI);
    // A server in trouble answers, but knows nothing of the seller's wishes.
    return feed.display.consentMode ? { feed } : { retryIn: AGAIN };
  } catch {
    return { retryIn: AGAIN };
  } finally {
    clearTimeout(timer);
    stop();
  }
}

/** A server that is busy says when; one that refuses would refuse again. */
function again(status: number, headers: Headers): number | null {
  const passing = status >= 500 || status === 429;
  return passing ? retryAfter(headers.get("Retry-After"), AGAIN) : null;
}

export function nudgesAddress(options: Options, ask: Ask): string {
  return addressOf(options.endpoint, {
    channel: options.channel,
    page: options.page,
    device: ask.device,
    product: options.product,
    products: ask.products.slice(0, MOST_PRODUCTS).join(","),
    category: options.category,
    count: String(COUNT),
    exclude: ask.exclude.join(","),
    shown: ask.shown.join(","),
    languageCode: options.languageCode,
    token: ask.token,
    checkout: options.checkout,
    user: options.user,
    shop: options.shop,
  });
}

/** Parameters always in one order and without empty ones, so that caches on the way see few addresses. */
function addressOf(endpoint: string, parameters: Record<string, string | null>): string {
  const address = new URL("v1/nudges", endpoint);
  for (const [name, value] of Object.entries(parameters)) {
    if (value) address.searchParams.set(name, value);
  }
  return address.href;
}

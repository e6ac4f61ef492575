import { parseFeed } from "./parse-feed.ts";
import { retryAfter } from "./retry-after.ts";
import type { Device, Feed, Options } from "./types.ts";

/** More than a page shows, so that a nudge on screen is not missed in the answer for want of room. */
const COUNT = 10;

/** Either the feed, or when to ask again: in so many seconds, with another token, or (null) never. */
export type Answer = { feed: Feed } | { retryIn: number | "WITH_NEW_TOKEN" | null };

/** Asks for the nudges of this page. Never throws. */
export async function fetchNudges(
  options: Options,
  token: string | null,
  device: Device,
  exclude: string[],
  signal: AbortSignal,
): Promise<Answer> {
  try {
    const address = nudgesAddress(options, token, device, exclude);
    const response = await fetch(address, { credentials: "omit", signal });
    if (response.ok) return { feed: parseFeed(await response.json(), document.baseURI) };
    if (response.status === 401 && token) return { retryIn: "WITH_NEW_TOKEN" };
    const passing = response.status >= 500 || response.status === 429;
    return { retryIn: passing ? retryAfter(response.headers.get("Retry-After"), 30) : null };
  } catch {
    return { retryIn: 30 };
  }
}

/** Parameters always in one order and without empty ones, so that caches on the way see few addresses. */
export function nudgesAddress(
  options: Options,
  token: string | null,
  device: Device,
  exclude: string[],
): string {
  const address = new URL("v1/nudges", options.endpoint);
  const parameters: [string, string | null][] = [
    ["channel", options.channel],
    ["page", options.page],
    ["device", device],
    ["product", options.product],
    ["category", options.category],
    ["count", String(COUNT)],
    ["exclude", exclude.join(",")],
    ["languageCode", options.languageCode],
    ["token", token],
    ["checkout", options.checkout],
    ["user", options.user],
    ["shop", options.shop],
  ];
  for (const [name, value] of parameters) if (value) address.searchParams.set(name, value);
  return address.href;
}

import type { Options, ShopperEvent } from "./types.ts";
import { uuid7 } from "./uuid7.ts";

/** One event as the server wants it. */
export const shopperEvent = (
  kind: string,
  options: Options,
  given?: Record<string, unknown>,
): ShopperEvent => ({
  ...given,
  id: uuid7(),
  kind,
  at: new Date().toISOString(),
  channel: options.channel,
  page: options.page,
});

import type { Options, ShopperEvent } from "./types.ts";
import { uuid7 } from "./uuid7.ts";

const NAMED = ["product", "variant", "nudge"] as const;

/** One event as the server wants it: what it knows by name on top, the rest in `data`. */
export function shopperEvent(
  kind: string,
  { channel, page, product }: Pick<Options, "channel" | "page" | "product">,
  given: Record<string, unknown> = {},
): ShopperEvent {
  const event: ShopperEvent = { id: uuid7(), kind, at: new Date().toISOString(), channel, page };
  if (kind === "product_viewed" && product) event.product = product;
  const data = { ...given };
  for (const name of NAMED) {
    const value = data[name];
    delete data[name];
    if (typeof value === "string" && value) event[name] = value;
  }
  if (Object.keys(data).length > 0) event.data = data;
  return event;
}

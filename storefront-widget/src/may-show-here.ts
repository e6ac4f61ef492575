import { isCart, isCheckout } from "./is-checkout.ts";
import type { Display, Options } from "./types.ts";

/** Whether the seller wants nudges on this page, as its address is now. Devices are the server's to judge. */
export function mayShowHere(
  { enabled, quietInCheckout }: Display,
  options: Partial<Options>,
  path: string,
): boolean {
  return enabled && !(quietInCheckout && (isCart(options) || isCheckout(options, path)));
}

import type { Device, Display, Options } from "./types.ts";

/** Whether the seller wants nudges on this device, and on this page as its address is now. */
export function mayShowHere(
  { enabled, devices, quietInCheckout }: Display,
  device: Device,
  options: Pick<Options, "page" | "checkoutPaths">,
  path: string,
): boolean {
  if (!enabled || (devices && !devices.includes(device))) return false;
  return !(quietInCheckout && isCheckout(options, path));
}

/** The cart, or an address with one of the checkout's paths in it: `/en/checkout/payment`. */
function isCheckout(
  { page, checkoutPaths }: Pick<Options, "page" | "checkoutPaths">,
  path: string,
): boolean {
  const parts = (address: string) => `/${address.split("/").filter(Boolean).join("/")}/`;
  return page === "CART" || checkoutPaths.some((checkout) => parts(path).includes(parts(checkout)));
}

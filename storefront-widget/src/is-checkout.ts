import type { Options } from "./types.ts";

/** An address with one of the checkout's paths in it, as whole parts: `/en/checkout/payment`. */
export function isCheckout(options: Partial<Options>, path: string): boolean {
  const whole = (part: string) => `/${part}/`.replace(/\/+/g, "/");
  const checkouts = (options["checkout-path"] || "/checkout").match(/[^\s,]+/g);
  return !!checkouts?.some((checkout) => whole(path).includes(whole(checkout)));
}

export const isCart = ({ page }: Partial<Options>): boolean => page?.toUpperCase() === "CART";

import type { Options } from "./types.ts";

/**
 * Hex SHA-256 of the checkout's id: as the page says, or of the one that Saleor's storefronts keep in
 * a cookie. Undefined without either; rejects on plain http, where browsers compute none.
 */
export async function checkoutHash({ checkout, channel }: Options): Promise<string | undefined> {
  // An id given by mistake goes no further: it would open the checkout to whoever reads it.
  if (checkout && /^[0-9a-f]{64}$/i.test(checkout)) return checkout.toLowerCase();
  const kept = document.cookie.match(`(?:^|; )checkoutId-${channel}=([^;]+)`)?.[1];
  if (!kept) return undefined;
  const id = new TextEncoder().encode(decodeURIComponent(kept));
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", id));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

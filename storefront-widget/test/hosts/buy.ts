/** What the shop's own code does when the buy button is pressed, as Saleor's storefronts do it. */

/** A checkout's global id, as Saleor gives it. */
export const CHECKOUT_ID = "Q2hlY2tvdXQ6M2Y5ODc2MjUtMGQ4NS00M2M1LWJmYzktYTA2N2M0ZWU3MzE1==";

export function addToBag(product: string, variant: string): void {
  const value = encodeURIComponent(CHECKOUT_ID);
  // biome-ignore lint/suspicious/noDocumentCookie: every browser that shops have to serve.
  document.cookie = `checkoutId-default-channel=${value}; path=/; SameSite=Lax`;
  document.dispatchEvent(new CustomEvent("nudges:added-to-cart", { detail: { product, variant } }));
}

/** Where a page wants what is true of a product: the attribute's value is the product's global id. */
export const PLACE = "data-saleor-nudges-product";

/** False where the page has taken it away, or only hidden it, as routers do with pages to come back to. */
export const isThere = (place: Element): boolean => place.getClientRects().length > 0;

/** The places that are there now. */
export function places(): HTMLElement[] {
  return [...document.querySelectorAll<HTMLElement>(`[${PLACE}]`)].filter(isThere);
}

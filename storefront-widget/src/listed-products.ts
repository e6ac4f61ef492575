/** As many as one request may name. */
const MOST = 50;

/** Those with a place beside them; a place that is not drawn, as on a page that was left, has no box. */
const placed = () =>
  [...document.querySelectorAll<HTMLElement>("[data-saleor-nudges-product]")].map(
    (place) => (place.getClientRects()[0] && place.dataset.saleorNudgesProduct) as string,
  );

/** The products to ask about: those that the page names, or those with a place beside them. */
export const listedProducts = (named?: string): string[] =>
  (named?.match(/[^\s,]+/g) ?? placed()).filter(Boolean).slice(0, MOST);

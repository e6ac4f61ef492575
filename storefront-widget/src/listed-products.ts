import { PLACE, places } from "./places.ts";

/** As many as one request may name. */
const MOST = 50;

/** The products to ask about: those that the page names, or those with a place beside them. */
export function listedProducts(named?: string): string[] {
  const ids = () => places().map((place) => place.getAttribute(PLACE) as string);
  return (named?.match(/[^\s,]+/g) ?? ids()).slice(0, MOST);
}

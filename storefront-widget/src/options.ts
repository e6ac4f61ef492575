import { safeUrl } from "./safe-url.ts";
import type { Options, Page } from "./types.ts";

const PAGES = /^(HOME|LISTING|CATEGORY|COLLECTION|BRAND|PRODUCT|CART|SEARCH|OTHER)$/;

/** The attributes of `<saleor-nudges>`; the script tag has the same with `data-` before each. */
export const ATTRIBUTES = [
  "endpoint",
  "channel",
  "page",
  "product",
  "category",
  "language-code",
  "checkout",
  "user",
  "shop",
  "products",
  "consent",
  "checkout-path",
  "close-label",
  "withdrawn-label",
] as const;

type Attribute = (typeof ATTRIBUTES)[number];

/** Attributes as typed options; null when there is no channel or no place to ask. */
export function readOptions(
  read: (name: Attribute) => string | null,
  base: string,
): Options | null {
  const get = (name: Attribute) => read(name)?.trim() || null;
  const endpoint = safeUrl(get("endpoint"), base);
  const channel = get("channel");
  if (!endpoint || !channel) return null;
  const product = get("product");
  const category = get("category");
  return {
    endpoint: endpoint.endsWith("/") ? endpoint : `${endpoint}/`,
    channel,
    page: pageOf(get("page"), product, category),
    product,
    category,
    languageCode: get("language-code"),
    checkout: hashOnly(get("checkout")),
    user: get("user"),
    shop: get("shop"),
    products: list(get("products")),
    consent: consentOf(get("consent")),
    checkoutPaths: list(get("checkout-path") ?? "/checkout"),
    closeLabel: get("close-label") ?? "Close",
    withdrawnLabel: get("withdrawn-label") ?? "No longer true",
  };
}

/** A page that does not say what it is, is what it is about. */
function pageOf(given: string | null, product: string | null, category: string | null): Page {
  const page = given?.toUpperCase() ?? "";
  if (PAGES.test(page)) return page as Page;
  if (product) return "PRODUCT";
  return category ? "CATEGORY" : "OTHER";
}

const list = (given: string | null): string[] => given?.split(/[\s,]+/).filter(Boolean) ?? [];

/** A word we do not know asks for the stricter of the two. */
function consentOf(given: string | null): Options["consent"] {
  if (given === null) return null;
  return given.toLowerCase() === "given" ? "GIVEN" : "REQUIRED";
}

/** A checkout id given by mistake goes no further: it would open the checkout to whoever reads it. */
function hashOnly(checkout: string | null): string | null {
  return checkout && /^[0-9a-f]{64}$/i.test(checkout) ? checkout.toLowerCase() : null;
}

/** The shop that every host is: a list of chairs, a page for each, a bag, a checkout. */

export interface Chair {
  id: string;
  variant: string;
  slug: string;
}

export const CHAIRS: readonly [Chair, Chair, Chair] = [
  { id: "UHJvZHVjdDox", variant: "UHJvZHVjdFZhcmlhbnQ6MQ==", slug: "oak-chair" },
  { id: "UHJvZHVjdDoy", variant: "UHJvZHVjdFZhcmlhbnQ6Mg==", slug: "beech-stool" },
  { id: "UHJvZHVjdDoz", variant: "UHJvZHVjdFZhcmlhbnQ6Mw==", slug: "ash-bench" },
];

export type Language = "en" | "he" | "ar";

export interface Words {
  shop: string;
  chairs: string;
  names: readonly [string, string, string];
  price: string;
  buy: string;
  bag: string;
  checkout: string;
  search: string;
  email: string;
}

export const WORDS: Record<Language, Words> = {
  en: {
    shop: "A shop",
    chairs: "Chairs",
    names: ["Oak chair", "Beech stool", "Ash bench"],
    price: "€240",
    buy: "Add to bag",
    bag: "Bag",
    checkout: "Checkout",
    search: "Search",
    email: "Your email",
  },
  he: {
    shop: "חנות",
    chairs: "כיסאות",
    names: ["כיסא אלון", "שרפרף אשור", "ספסל מילה"],
    price: "‏240 ₪",
    buy: "הוספה לסל",
    bag: "סל",
    checkout: "תשלום",
    search: "חיפוש",
    email: "הדוא״ל שלך",
  },
  ar: {
    shop: "متجر",
    chairs: "كراسي",
    names: ["كرسي بلوط", "مقعد زان", "مقعد دردار"],
    price: "٢٤٠ يورو",
    buy: "أضف إلى الحقيبة",
    bag: "الحقيبة",
    checkout: "الدفع",
    search: "بحث",
    email: "بريدك الإلكتروني",
  },
};

/** What a test makes of the shop. */
export interface Shop {
  language: Language;
  /** Added to the shop's own style sheet. */
  css: string;
  /** Attributes of the element, or (with `data-`) of the script tag, on every page. */
  attributes: Record<string, string>;
  /** False: a client-routed shop that never changes the element's attributes. */
  changesAttributes: boolean;
}

export const isRightToLeft = ({ language }: Shop) => language !== "en";

/** What the shop says of one of its addresses, as the widget's attributes; null: no such page. */
export function attributesOf(path: string): Record<string, string> | null {
  if (path === "/") return { page: "LISTING" };
  if (path === "/cart") return { page: "CART" };
  if (path.startsWith("/checkout")) return { page: "CART" };
  const chair = CHAIRS.find(({ slug }) => path === `/products/${slug}`);
  return chair ? { page: "PRODUCT", product: chair.id } : null;
}

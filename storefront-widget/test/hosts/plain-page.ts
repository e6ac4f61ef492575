/** The shop's pages as HTML. */
import { CHAIRS, isRightToLeft, type Shop, WORDS } from "./shop.ts";

/** A whole page; what goes into its head and at the end of its body is the host's. */
export function htmlPage(path: string, shop: Shop, head: string, end: string): string {
  return `<!doctype html>
<html lang="${shop.language}" dir="${isRightToLeft(shop) ? "rtl" : "ltr"}">
<head>
<meta charset="utf-8">
<title>${WORDS[shop.language].shop}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/shop.css">
${head}
</head>
<body>${path === "" ? "" : body(path, shop)}${end}</body>
</html>`;
}

function body(path: string, shop: Shop): string {
  const { shop: name, chairs, bag, checkout, search } = WORDS[shop.language];
  return `<header>
<strong>${name}</strong>
<nav><a href="/">${chairs}</a> <a href="/cart">${bag}</a> <a href="/checkout">${checkout}</a></nav>
<input id="search" type="search" aria-label="${search}">
</header>
<main>${content(path, shop)}</main>
<div id="cover" hidden></div>`;
}

function content(path: string, shop: Shop): string {
  const { bag, checkout, chairs, email } = WORDS[shop.language];
  if (path === "/") return `<h1>${chairs}</h1><ul class="cards">${cards(shop)}</ul>`;
  if (path === "/cart") return `<h1>${bag}</h1>`;
  if (path.startsWith("/checkout"))
    return `<h1>${checkout}</h1><form><label>${email}<input type="email" autocomplete="email"></label></form>`;
  return product(path, shop);
}

const place = (id: string) => `<p data-saleor-nudges-product="${id}"></p>`;

function cards({ language }: Shop): string {
  const { names, price } = WORDS[language];
  return CHAIRS.map(
    ({ id, slug }, i) => `<li>
<img src="/chair.svg" alt="" width="240" height="180">
<h2><a href="/products/${slug}">${names[i]}</a></h2>
<p class="price">${price}</p>${place(id)}</li>`,
  ).join("");
}

function product(path: string, { language }: Shop): string {
  const { names, price, buy } = WORDS[language];
  const i = CHAIRS.findIndex(({ slug }) => path.endsWith(slug));
  const chair = CHAIRS[i] ?? CHAIRS[0];
  return `<div class="product">
<img src="/chair.svg" alt="" width="480" height="360">
<div><h1>${names[i]}</h1><p class="price">${price}</p>
<button id="buy" type="button" data-product="${chair.id}" data-variant="${chair.variant}">${buy}</button>
${place(chair.id)}</div></div>`;
}

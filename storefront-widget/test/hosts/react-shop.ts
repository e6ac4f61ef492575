/** The shop as an application in React 19 that never loads a second page. */
import {
  createElement,
  type FormEvent,
  type MouseEvent,
  type ReactNode,
  useEffect,
  useState,
} from "react";
import { createRoot } from "react-dom/client";
import { addToBag } from "./buy.ts";
import { attributesOf, CHAIRS, type Shop, WORDS } from "./shop.ts";

const h = createElement;
const root = document.getElementById("root");
const { shop, endpoint }: { shop: Shop; endpoint: string } = JSON.parse(
  document.getElementById("shop")?.textContent ?? "{}",
);
const words = WORDS[shop.language];

/** A router as small as they get: the address, and going elsewhere by pushState. */
function usePath(): [string, (path: string) => void] {
  const [path, setPath] = useState(location.pathname);
  useEffect(() => {
    const changed = () => setPath(location.pathname);
    addEventListener("popstate", changed);
    return () => removeEventListener("popstate", changed);
  }, []);
  const go = (to: string) => {
    history.pushState(null, "", to);
    setPath(to);
  };
  return [path, go];
}

function App(): ReactNode {
  const [path, go] = usePath();
  const [first] = useState(path);
  const link = (to: string, text: string | undefined) => {
    const onClick = (event: MouseEvent) => {
      event.preventDefault();
      go(to);
    };
    return h("a", { href: to, onClick, key: to }, text);
  };
  const about = attributesOf(shop.changesAttributes ? path : first);
  const attributes = { channel: "default-channel", endpoint, ...about, ...shop.attributes };
  return [
    h(Header, { link, key: "header" }),
    h("main", { key: "main" }, h(Content, { path, link })),
    h("div", { id: "cover", hidden: true, key: "cover" }),
    h("saleor-nudges", { ...attributes, key: "nudges" }),
  ];
}

type Link = (to: string, text: string | undefined) => ReactNode;

function Header({ link }: { link: Link }): ReactNode {
  const links = [link("/", words.chairs), " ", link("/cart", words.bag), " "];
  return h(
    "header",
    null,
    h("strong", null, words.shop),
    h("nav", null, links, link("/checkout", words.checkout)),
    h("input", { id: "search", type: "search", "aria-label": words.search }),
  );
}

function Content({ path, link }: { path: string; link: Link }): ReactNode {
  if (path === "/") return [h("h1", { key: 1 }, words.chairs), h(Cards, { link, key: 2 })];
  if (path === "/cart") return h("h1", null, words.bag);
  if (path.startsWith("/checkout")) return h(Checkout);
  return h(Product, { path });
}

const image = (width: number, height: number) =>
  h("img", { src: "/chair.svg", alt: "", width, height });

function Cards({ link }: { link: Link }): ReactNode {
  const card = ({ id, slug }: (typeof CHAIRS)[number], i: number) =>
    h(
      "li",
      { key: id },
      image(240, 180),
      h("h2", null, link(`/products/${slug}`, words.names[i])),
      h("p", { className: "price" }, words.price),
      h("p", { "data-saleor-nudges-product": id }),
    );
  return h("ul", { className: "cards" }, CHAIRS.map(card));
}

function Checkout(): ReactNode {
  const onSubmit = (event: FormEvent) => event.preventDefault();
  const input = h("input", { type: "email", autoComplete: "email" });
  return [
    h("h1", { key: 1 }, words.checkout),
    h("form", { onSubmit, key: 2 }, h("label", null, words.email, input)),
  ];
}

function Product({ path }: { path: string }): ReactNode {
  const [bought, setBought] = useState(0);
  const i = CHAIRS.findIndex(({ slug }) => path.endsWith(slug));
  const { id, variant } = CHAIRS[i] ?? CHAIRS[0];
  const onClick = () => {
    // Drawing the page again must leave alone what stands in its places.
    setBought(bought + 1);
    addToBag(id, variant);
  };
  const words_ = [
    h("h1", { key: 1 }, words.names[i]),
    h("p", { className: "price", key: 2 }, words.price),
    h("button", { id: "buy", type: "button", onClick, key: 3 }, words.buy),
    h("p", { "data-saleor-nudges-product": id, key: id, "data-bought": bought }),
  ];
  return h("div", { className: "product" }, image(480, 360), h("div", null, words_));
}

if (root) createRoot(root).render(h(App));

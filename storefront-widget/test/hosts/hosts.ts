/** The pages the widget is a guest on. */
import { htmlPage } from "./plain-page.ts";
import { attributesOf, type Shop } from "./shop.ts";

/** What a page is made of. */
export interface Asked {
  path: string;
  shop: Shop;
  /** Where saleor-nudges answers, ending in a slash: on another site, unless the host is strict. */
  endpoint: string;
  nonce: string;
}

export interface Host {
  name: string;
  /** True: saleor-nudges is on the shop's own site, behind its proxy. */
  sameSite: boolean;
  policy(asked: Asked): string | null;
  page(asked: Asked): string;
}

/** One script tag, as the README has it. */
function tag({ path, shop, endpoint }: Asked, nonce = ""): string {
  const attributes = { channel: "default-channel", ...attributesOf(path), ...shop.attributes };
  const data = Object.entries(attributes).map(([name, value]) => `data-${name}="${value}"`);
  return `<script${nonce} src="${endpoint}v1/widget.js" ${data.join(" ")} async></script>`;
}

const plainPage = ({ path, shop }: Asked, end: string) =>
  htmlPage(path, shop, `<script type="module" src="/plain-shop.js"></script>`, end);

const plain: Host = {
  name: "plain HTML",
  sameSite: false,
  policy: () => null,
  page: (asked) => plainPage(asked, tag(asked)),
};

/** The strictest policy a shop can have: what is not named here is forbidden. */
const strict = (script: string, connect: string) =>
  [
    "default-src 'none'",
    `script-src ${script}`,
    `connect-src ${connect}`,
    "img-src 'self'",
    "style-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; ");

const nonced: Host = {
  ...plain,
  name: "strict CSP with a nonce",
  policy: ({ nonce, endpoint }) => strict(`'nonce-${nonce}'`, new URL(endpoint).origin),
  page(asked) {
    const nonce = ` nonce="${asked.nonce}"`;
    const own = `<script${nonce} type="module" src="/plain-shop.js"></script>`;
    return htmlPage(asked.path, asked.shop, own, tag(asked, nonce));
  },
};

const own: Host = {
  ...plain,
  name: "strict CSP with 'self'",
  sameSite: true,
  policy: () => strict("'self'", "'self'"),
};

const react: Host = {
  name: "React with a router",
  sameSite: false,
  policy: () => null,
  page({ shop, endpoint }) {
    const facts = JSON.stringify({ shop, endpoint });
    return htmlPage(
      "",
      shop,
      `<script type="module" src="/stdin.js"></script>`,
      `<div id="root"></div><script type="application/json" id="shop">${facts}</script>`,
    );
  },
};

/** The plain one as it would be without us, to be compared with. */
export const WITHOUT: Host = { ...plain, name: "without", page: (asked) => plainPage(asked, "") };

export const HOSTS = { plain, nonced, own, react } as const;

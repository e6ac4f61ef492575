import assert from "node:assert/strict";
import test from "node:test";
import { type Ask, nudgesAddress } from "../../src/fetch-nudges.ts";
import { parseFeed } from "../../src/parse-feed.ts";
import type { Options } from "../../src/types.ts";

const BASE = "https://shop.example/products/";

test("a whole answer is read as it is", () => {
  const answer = {
    nudges: [
      {
        id: "abcd1234",
        type: "ORDER",
        category: "RECENT_PURCHASE",
        tag: "Just bought",
        title: "Oak chair",
        text: "Someone bought this.",
        product: { id: "UHJvZHVjdDox", name: "Oak chair", slug: "oak-chair" },
        image: "https://cdn.example/chair.png",
        href: "https://shop.example/oak-chair",
        occurredAt: "2026-03-01T12:00:00Z",
        showTime: false,
        highlight: "#0a0b0c",
        evidence: { kind: "ORDER" },
        slot: "TOAST",
      },
    ],
    display: {
      enabled: true,
      position: { desktop: "BOTTOM_RIGHT", mobile: "TOP" },
      theme: "DARK",
      highlight: "#a1b2c3",
      initialDelay: 1,
      gap: 2,
      duration: 3,
      maxPerPage: 4,
      maxPerSession: 5,
      devices: ["DESKTOP", "IOS"],
      quietInCheckout: false,
      consentMode: "OPT_IN",
    },
    withdrawn: ["abcd1235"],
    pollAfter: 5,
  };
  assert.deepEqual(parseFeed(answer, BASE), answer);
});

test("what cannot be read is left out, and nothing is shown that was not switched on", () => {
  const feed = parseFeed(
    { nudges: [null, {}, { id: "a" }, { id: "b", text: "True." }], display: null, pollAfter: 0 },
    BASE,
  );
  assert.deepEqual(
    feed.nudges.map(({ id }) => id),
    ["b"],
  );
  assert.equal(feed.display.enabled, false);
  assert.equal(feed.display.theme, "AUTO");
  assert.equal(feed.pollAfter, 1);
  assert.deepEqual(parseFeed("nonsense", BASE).nudges, []);
  assert.equal(parseFeed(undefined, BASE).pollAfter, null);
});

test("links and pictures are http, times are times, colours are colours", () => {
  const { nudges, display } = parseFeed(
    {
      nudges: [
        { id: "a", text: "t", href: "javascript:alert(1)", image: "data:x", occurredAt: "then" },
        { id: "b", text: "t", href: "../chair", image: "/chair.png" },
      ],
      display: { highlight: "red;}", duration: -1, gap: 1e12 },
    },
    BASE,
  );
  assert.deepEqual(
    nudges.map(({ href, image, occurredAt }) => [href, image, occurredAt]),
    [
      [null, null, null],
      ["https://shop.example/chair", "https://shop.example/chair.png", null],
    ],
  );
  assert.deepEqual([display.highlight, display.duration, display.gap], [null, 6, 86_400]);
});

test("what an older server leaves out has its defaults", () => {
  const { nudges, display, withdrawn } = parseFeed(
    {
      nudges: [{ id: "a", text: "t" }],
      display: { enabled: true, position: { desktop: "BOTTOM_LEFT", mobile: "TOP" } },
    },
    BASE,
  );
  const [nudge] = nudges;
  assert.deepEqual(
    [nudge?.tag, nudge?.showTime, nudge?.highlight, nudge?.product, nudge?.slot],
    [null, true, null, null, "TOAST"],
  );
  assert.deepEqual(
    [display.devices, display.quietInCheckout, display.consentMode, withdrawn],
    [null, true, "OPT_OUT", null],
  );
});

test("what a newer or broken server says is kept within what we know", () => {
  const { nudges, display, withdrawn } = parseFeed(
    {
      nudges: [
        { id: "a", text: "t", tag: 7, highlight: "url(x)", showTime: "no", product: null, new: 1 },
        { id: "b", text: "t", tag: "", highlight: "#ABCDEF", showTime: false, product: { id: 3 } },
      ],
      display: { devices: ["IOS", 4, null], quietInCheckout: null, consentMode: "OPT_OUT" },
      withdrawn: ["x", 1, { id: "y" }],
    },
    BASE,
  );
  assert.deepEqual(
    nudges.map(({ tag, highlight, showTime, product }) => [tag, highlight, showTime, product]),
    [
      [null, null, true, null],
      [null, "#ABCDEF", false, null],
    ],
  );
  assert.deepEqual(display.devices, ["IOS"]);
  assert.equal(display.quietInCheckout, true);
  assert.equal(display.consentMode, "OPT_OUT");
  assert.deepEqual(withdrawn, ["x"]);
});

test("a server that cannot tell, or says what we do not know, has not said that we may", () => {
  const modeOf = (display: unknown) => parseFeed({ display }, BASE).display.consentMode;
  const position = { desktop: "BOTTOM_LEFT", mobile: "TOP" };
  assert.equal(modeOf({ enabled: false }), null);
  assert.equal(modeOf(undefined), null);
  assert.equal(modeOf({ position, consentMode: "ASK_TWICE" }), null);
  assert.equal(modeOf({ position, consentMode: null }), null);
  assert.equal(modeOf({ position, consentMode: "OPT_IN" }), "OPT_IN");
});

const OPTIONS: Options = {
  endpoint: "https://shop.example/plugins/global/saleor-nudges/",
  channel: "c",
  page: "PRODUCT",
  product: "UHJvZHVjdDox",
  category: null,
  languageCode: "PT_BR",
  checkout: null,
  user: null,
  shop: null,
  products: [],
  consent: null,
  checkoutPaths: ["/checkout"],
  closeLabel: "Close",
  withdrawnLabel: "No longer true",
};
const ASK: Ask = { token: null, device: "IOS", exclude: [], shown: [], products: [] };

test("the request names what is known, always in one order", () => {
  assert.equal(
    nudgesAddress(OPTIONS, {
      ...ASK,
      token: "tok",
      exclude: ["a", "b"],
      shown: ["c"],
      products: ["UHJvZHVjdDox", "UHJvZHVjdDoy"],
    }),
    "https://shop.example/plugins/global/saleor-nudges/v1/nudges?channel=c&page=PRODUCT&device=IOS" +
      "&product=UHJvZHVjdDox&products=UHJvZHVjdDox%2CUHJvZHVjdDoy&count=10&exclude=a%2Cb" +
      "&shown=c&languageCode=PT_BR&token=tok",
  );
});

test("no more products are named than one request may", () => {
  const products = Array.from({ length: 60 }, (_, index) => `P${index}`);
  const asked = new URL(nudgesAddress(OPTIONS, { ...ASK, products })).searchParams;
  assert.equal(asked.get("products"), products.slice(0, 50).join(","));
});

test("without a token the request says nothing about a visitor", () => {
  const address = new URL(nudgesAddress(OPTIONS, ASK));
  assert.deepEqual(
    [...address.searchParams.keys()],
    ["channel", "page", "device", "product", "count", "languageCode"],
  );
});

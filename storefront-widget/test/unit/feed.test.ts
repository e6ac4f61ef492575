import assert from "node:assert/strict";
import test from "node:test";
import { nudgesAddress } from "../../src/fetch-nudges.ts";
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
        title: "Oak chair",
        text: "Someone bought this.",
        product: { id: "UHJvZHVjdDox", name: "Oak chair", slug: "oak-chair" },
        image: "https://cdn.example/chair.png",
        href: "https://shop.example/oak-chair",
        occurredAt: "2026-03-01T12:00:00Z",
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
    },
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
  closeLabel: "Close",
};

test("the request names what is known, always in one order", () => {
  assert.equal(
    nudgesAddress(OPTIONS, "tok", "IOS", ["a", "b"]),
    "https://shop.example/plugins/global/saleor-nudges/v1/nudges?channel=c&page=PRODUCT&device=IOS" +
      "&product=UHJvZHVjdDox&count=10&exclude=a%2Cb&languageCode=PT_BR&token=tok",
  );
});

test("without a token the request says nothing about a visitor", () => {
  const address = new URL(nudgesAddress(OPTIONS, null, "IOS", []));
  assert.deepEqual(
    [...address.searchParams.keys()],
    ["channel", "page", "device", "product", "count", "languageCode"],
  );
});

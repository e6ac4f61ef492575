import assert from "node:assert/strict";
import test from "node:test";
import { mayShowHere } from "../../src/may-show-here.ts";
import { parseFeed } from "../../src/parse-feed.ts";
import type { Options } from "../../src/types.ts";

const display = (more: Record<string, unknown> = {}) =>
  parseFeed({ display: { enabled: true, ...more } }, "https://shop.example/").display;
const SHOP: Pick<Options, "page" | "checkoutPaths"> = {
  page: "OTHER",
  checkoutPaths: ["/checkout", "kasse/"],
};

test("only where it is switched on, and on the devices that were chosen", () => {
  assert.equal(mayShowHere(display(), "IOS", SHOP, "/"), true);
  assert.equal(mayShowHere(display({ enabled: false }), "IOS", SHOP, "/"), false);
  assert.equal(mayShowHere(display({ devices: ["DESKTOP"] }), "IOS", SHOP, "/"), false);
  assert.equal(mayShowHere(display({ devices: ["IOS"] }), "IOS", SHOP, "/"), true);
});

test("a checkout is known by whole parts of its address", () => {
  const shows = (path: string) => mayShowHere(display(), "IOS", SHOP, path);
  for (const path of ["/checkout", "/checkout/", "/us/checkout/pay", "//checkout", "/de/kasse"]) {
    assert.equal(shows(path), false, path);
  }
  for (const path of ["/", "/checkouts", "/my-checkout", "/products/kasse-1"]) {
    assert.equal(shows(path), true, path);
  }
});

test("the cart is quiet unless the seller wants it otherwise", () => {
  const cart = { ...SHOP, page: "CART" as const };
  assert.equal(mayShowHere(display(), "IOS", cart, "/"), false);
  assert.equal(mayShowHere(display({ quietInCheckout: false }), "IOS", cart, "/"), true);
});

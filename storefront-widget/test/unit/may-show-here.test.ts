import assert from "node:assert/strict";
import test from "node:test";
import { mayShowHere } from "../../src/may-show-here.ts";
import type { Display, Options } from "../../src/types.ts";

const display = (more: Partial<Display> = {}) =>
  ({ enabled: true, quietInCheckout: true, ...more }) as Display;
const SHOP: Partial<Options> = { "checkout-path": "/checkout, kasse/" };

test("only where it is switched on", () => {
  assert.equal(mayShowHere(display(), SHOP, "/"), true);
  assert.equal(mayShowHere(display({ enabled: false }), SHOP, "/"), false);
});

test("a checkout is known by whole parts of its address", () => {
  const shows = (path: string) => mayShowHere(display(), SHOP, path);
  for (const path of ["/checkout", "/checkout/", "/us/checkout/pay", "//checkout", "/de/kasse"]) {
    assert.equal(shows(path), false, path);
  }
  for (const path of ["/", "/checkouts", "/my-checkout", "/products/kasse-1"]) {
    assert.equal(shows(path), true, path);
  }
});

test("a shop that does not name its checkout has it at /checkout", () => {
  assert.equal(mayShowHere(display(), {}, "/de/checkout"), false);
  assert.equal(mayShowHere(display(), {}, "/kasse"), true);
  assert.equal(mayShowHere(display(), { "checkout-path": "/kasse" }, "/checkout"), true);
});

test("the cart is quiet unless the seller wants it otherwise", () => {
  const cart = { ...SHOP, page: "cart" };
  assert.equal(mayShowHere(display(), cart, "/"), false);
  assert.equal(mayShowHere(display({ quietInCheckout: false }), cart, "/"), true);
});

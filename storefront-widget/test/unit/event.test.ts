import assert from "node:assert/strict";
import test from "node:test";
import { shopperEvent } from "../../src/shopper-event.ts";
import { uuid7 } from "../../src/uuid7.ts";

const UUID7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const PAGE = { channel: "c", page: "PRODUCT", product: "UHJvZHVjdDox" } as const;

test("uuid7 begins with the time", () => {
  const id = uuid7(0x0123_4567_89ab);
  assert.match(id, UUID7);
  assert.equal(id.slice(0, 13), "01234567-89ab");
});

test("uuid7 is never the same twice, and sorts by time", () => {
  const many = new Set(Array.from({ length: 1000 }, () => uuid7(5)));
  assert.equal(many.size, 1000);
  assert.ok(uuid7(1_000) < uuid7(2_000));
});

test("a product view names its product, another view does not", () => {
  const { id, at, ...event } = shopperEvent("product_viewed", PAGE);
  assert.match(id, UUID7);
  assert.equal(new Date(at).toISOString(), at);
  assert.deepEqual(event, {
    kind: "product_viewed",
    channel: "c",
    page: "PRODUCT",
    product: "UHJvZHVjdDox",
  });
  assert.equal(shopperEvent("page_viewed", PAGE).product, undefined);
});

test("what is known by name stands on top, the rest in data, and the caller's object stays as it was", () => {
  const given = { product: "p", variant: "v", nudge: 7, colour: "red" };
  const { id, at, ...event } = shopperEvent("added_to_cart", PAGE, given);
  assert.deepEqual(event, {
    kind: "added_to_cart",
    channel: "c",
    page: "PRODUCT",
    product: "p",
    variant: "v",
    data: { colour: "red" },
  });
  assert.deepEqual(given, { product: "p", variant: "v", nudge: 7, colour: "red" });
});

import assert from "node:assert/strict";
import test from "node:test";
import { shopperEvent } from "../../src/shopper-event.ts";
import { uuid7 } from "../../src/uuid7.ts";

const UUID7 = /^[0-9a-f]{12}7[0-9a-f]{3}8[0-9a-f]{15}$/;
const PAGE = { endpoint: "/", channel: "c", page: "PRODUCT", product: "UHJvZHVjdDox" };

test("uuid7 begins with the time", ({ mock }) => {
  mock.method(Date, "now", () => 0x123_4567_89ab);
  const id = uuid7();
  assert.match(id, UUID7);
  assert.equal(id.slice(0, 12), "0123456789ab");
});

test("uuid7 is never the same twice, and sorts by time", ({ mock }) => {
  mock.method(Date, "now", () => 0x1ff_ffff_ffff);
  const many = new Set(Array.from({ length: 1000 }, uuid7));
  assert.equal(many.size, 1000);
  const [earlier = ""] = many;
  mock.method(Date, "now", () => 0x200_0000_0000);
  assert.ok(earlier < uuid7());
});

test("an event says what it was given, and cannot pretend to be another", () => {
  const given = { product: "p", quantity: 2, kind: "order_placed", channel: "d", id: "1" };
  const { id, at, ...event } = shopperEvent("added_to_cart", PAGE, given);
  assert.match(id, UUID7);
  assert.equal(new Date(at).toISOString(), at);
  assert.deepEqual(event, {
    kind: "added_to_cart",
    channel: "c",
    page: "PRODUCT",
    product: "p",
    quantity: 2,
  });
  assert.equal(given.kind, "order_placed");
});

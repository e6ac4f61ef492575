import assert from "node:assert/strict";
import test from "node:test";
import { uuid7 } from "../../src/uuid7.ts";

const UUID7 = /^[0-9a-f]{12}7[0-9a-f]{3}8[0-9a-f]{15}$/;

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

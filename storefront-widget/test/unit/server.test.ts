import assert from "node:assert/strict";
import test from "node:test";

test("a server that renders the shop's pages can import the widget", async () => {
  assert.equal(typeof window, "undefined");
  const { saleorNudges } = await import("../../src/index.ts");
  saleorNudges.track("page_viewed");
  saleorNudges.stop();
  saleorNudges.resume();
});

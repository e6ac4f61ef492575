import assert from "node:assert/strict";
import test from "node:test";
import { display, type Fixture, nudge } from "./fixture-server.ts";
import { listen, openShop, until } from "./shop.ts";

const asCart = (fixture: Fixture) => {
  fixture.tag = fixture.tag.replace("async", 'data-page="CART" async');
};
for (const [where, path, quietInCheckout, prepare, expected] of [
  ["the cart", "/", true, asCart, 0],
  ["the cart", "/", false, asCart, 1],
  ["the checkout", "/en/checkout/payment?checkout=Q2hlY2tvdXQ6MQ==", true, () => {}, 0],
  ["the checkout", "/en/checkout/payment", false, () => {}, 1],
  ["a product that is called checkout-desk", "/products/checkout-desk", true, () => {}, 1],
  [
    "a checkout with a name of its own",
    "/kasse",
    true,
    (fixture: Fixture) => {
      fixture.tag = fixture.tag.replace("async", 'data-checkout-path="/kasse" async');
    },
    0,
  ],
] as const) {
  test(`in ${where} ${quietInCheckout ? "" : "not "}quiet: ${expected} shown`, async (t) => {
    const { page, fixture } = await openShop(
      t,
      (fixture) => {
        fixture.body = `<span data-saleor-nudges-product="UHJvZHVjdDox"></span>`;
        fixture.nudges = [nudge("n0000001", { slot: "INLINE" }), nudge("n0000002")];
        fixture.display = display({ quietInCheckout });
        prepare(fixture);
      },
      { path },
    );
    await until("nudges are asked for", () => fixture.asked.length === 1);
    await page.waitForTimeout(600);
    assert.equal(await page.locator(".toast").count(), expected);
    assert.equal(await page.locator("[part=inline]").count(), expected);
    // A checkout's address opens it: it is told to nobody.
    assert.deepEqual([...new Set(fixture.referers)], [""]);
  });
}

test("a shop that goes to its checkout without reloading becomes quiet", async (t) => {
  const { page, fixture } = await openShop(t, (fixture) => {
    fixture.pollAfter = 1;
    fixture.withdrawn = [];
  });
  const heard = await listen(page);
  await page.locator(".toast").waitFor();
  await page.evaluate(() => history.pushState(null, "", "/checkout"));
  await page.locator(".toast").waitFor({ state: "detached" });
  assert.ok((await heard()).includes("nudges:closed n0000001 STOPPED"));
  fixture.nudges = [nudge("n0000002")];
  await page.waitForTimeout(1_500);
  assert.equal(await page.locator(".toast").count(), 0);
});

test("the seller's words above the title, and a colour for one kind of nudge", async (t) => {
  const { page } = await openShop(t, (fixture) => {
    fixture.display = display({ highlight: "#0000ff" });
    fixture.nudges = [nudge("n0000001", { tag: "Almost gone", highlight: "#b42318" })];
  });
  const toast = page.locator(".toast");
  await toast.waitFor();
  assert.equal(await toast.locator("[part=tag]").innerText(), "Almost gone");
  const colour = await toast
    .locator("[part=icon]")
    .evaluate((icon) => getComputedStyle(icon).color);
  assert.equal(colour, "rgb(180, 35, 24)");
});

test("a nudge of the whole shop has no product, no picture, no link and no empty lines", async (t) => {
  const { page } = await openShop(
    t,
    (fixture) => {
      fixture.nudges = [
        nudge("n0000001", {
          type: "ORDER_SUMMARY",
          category: "RECENT_SUMMARY",
          product: null,
          title: "",
          text: "184 orders in the last 24 hours",
        }),
      ];
    },
    { reducedMotion: "reduce" },
  );
  const toast = page.locator(".toast");
  await toast.waitFor();
  assert.equal(await toast.innerText(), "184 orders in the last 24 hours");
  assert.equal(await toast.getByRole("link").count(), 0);
  assert.equal(await toast.locator("img").count(), 0);
  assert.equal(await toast.locator("[part=icon] svg").count(), 1);
  assert.equal(await toast.getAttribute("aria-label"), "184 orders in the last 24 hours");
  // The drawing, the padding and the border.
  assert.equal((await toast.boundingBox())?.height, 64 + 20 + 2);
});

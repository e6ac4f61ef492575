import assert from "node:assert/strict";
import test from "node:test";
import type { Page } from "playwright-core";
import type { Fixture } from "./fixture-server.ts";
import { openShop, until } from "./shop.ts";

function routed(fixture: Fixture): void {
  fixture.tag = `<saleor-nudges channel="default-channel" page="PRODUCT" product="UHJvZHVjdDox"></saleor-nudges>
    ${fixture.tag.replace(/data-\S+/g, "")}`;
  fixture.nudges = [];
  fixture.pollAfter = 1;
}

const go = (page: Page, path: string, attributes: Record<string, string> = {}, late = 0) =>
  page.evaluate(
    async ([path, attributes, late]) => {
      history.pushState(null, "", path);
      await new Promise((resolve) => setTimeout(resolve, late));
      const element = document.querySelector("saleor-nudges");
      for (const [name, value] of Object.entries(attributes)) element?.setAttribute(name, value);
    },
    [path, attributes, late] as const,
  );

const viewed = ({ events }: Fixture) =>
  events()
    .filter(({ kind }) => kind.endsWith("_viewed"))
    .map(({ kind, product }) => [kind, product].filter(Boolean).join(" "));

/** What the last request was about. */
const about = ({ asked }: Fixture) =>
  ["page", "product"].map((name) => asked.at(-1)?.get(name) ?? null);

test("another address, of which the element says nothing, is another page", async (t) => {
  const { page, fixture } = await openShop(t, routed);
  await until("the product is viewed", () => viewed(fixture).length === 1);
  await go(page, "/about-us");
  await until("the page is viewed", () => viewed(fixture).length === 2);
  assert.deepEqual(about(fixture), [null, null]);
  // Back at the product, what the element says is true again.
  await page.goBack();
  await until("the product is viewed again", () => viewed(fixture).length === 3);
  assert.deepEqual(about(fixture), ["PRODUCT", "UHJvZHVjdDox"]);
  assert.deepEqual(viewed(fixture), [
    "product_viewed UHJvZHVjdDox",
    "page_viewed",
    "product_viewed UHJvZHVjdDox",
  ]);
});

for (const late of [0, 400]) {
  test(`an address and what the element says of it, ${late} ms later, are one page`, async (t) => {
    const { page, fixture } = await openShop(t, routed);
    await until("the product is viewed", () => viewed(fixture).length === 1);
    await go(page, "/product-2", { product: "UHJvZHVjdDoy" }, late);
    await until("the other is viewed", () => viewed(fixture).length === 2);
    await page.waitForTimeout(2_500);
    assert.deepEqual(viewed(fixture), [
      "product_viewed UHJvZHVjdDox",
      "product_viewed UHJvZHVjdDoy",
    ]);
    assert.deepEqual(about(fixture), ["PRODUCT", "UHJvZHVjdDoy"]);
  });
}

test("a query or a fragment that changes is no other page", async (t) => {
  const { page, fixture } = await openShop(t, routed);
  await until("the product is viewed", () => viewed(fixture).length === 1);
  await page.evaluate(() => history.replaceState(null, "", "?color=oak#reviews"));
  await page.waitForTimeout(2_500);
  assert.deepEqual(viewed(fixture), ["product_viewed UHJvZHVjdDox"]);
});

test("nothing of the page's own is wrapped", async (t) => {
  const { page, fixture } = await openShop(t, routed);
  await until("nudges are asked for", () => fixture.asked.length > 0);
  assert.ok(
    await page.evaluate(() =>
      [history.pushState, history.replaceState, window.fetch].every((native) =>
        String(native).includes("[native code]"),
      ),
    ),
  );
});

test("an element that is taken off the page ends the visit", async (t) => {
  const { page, fixture } = await openShop(t, routed);
  await until("the product is viewed", () => viewed(fixture).length === 1);
  await page.evaluate(() => document.querySelector("saleor-nudges")?.remove());
  await page.waitForTimeout(1_500);
  const asked = fixture.asked.length;
  await page.waitForTimeout(2_000);
  assert.equal(fixture.asked.length, asked);
});

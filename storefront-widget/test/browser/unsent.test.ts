import assert from "node:assert/strict";
import test from "node:test";
import type { Page } from "playwright-core";
import type { Fixture } from "./fixture-server.ts";
import { openShop, setHidden, until } from "./shop.ts";

const KEY = "saleor-nudges-unsent";

function quiet(fixture: Fixture): void {
  fixture.nudges = [];
  fixture.pollAfter = 1;
  fixture.expectsRefusals = true;
}

const unsent = (page: Page): Promise<{ id: string; kind: string }[]> =>
  page.evaluate((key) => JSON.parse(localStorage.getItem(key) ?? "[]"), KEY);

const add = (page: Page, product: string) =>
  page.evaluate(
    (product) =>
      document.dispatchEvent(new CustomEvent("nudges:added-to-cart", { detail: { product } })),
    product,
  );

const added = (fixture: Fixture) => fixture.events().filter(({ kind }) => kind === "added_to_cart");

test("what a page tells by an event of the document is told as by track()", async (t) => {
  const { page, fixture } = await openShop(t, quiet);
  await until("the page is viewed", () => fixture.events().length === 1);
  await add(page, "p");
  await until("what was added is told", () => added(fixture).length === 1);
  assert.equal(added(fixture)[0]?.product, "p");
});

test("what could not be sent is sent when the browser is online again", async (t) => {
  const { page, fixture } = await openShop(t, quiet);
  await until("the page is viewed", () => fixture.events().length === 1);
  await page.context().setOffline(true);
  await add(page, "p");
  await page.waitForTimeout(2_500);
  assert.deepEqual(added(fixture), []);
  await page.context().setOffline(false);
  await until("what was added is told", () => added(fixture).length === 1);
});

test("what could not be sent waits for the next page, and is told once, as the same", async (t) => {
  const { page, fixture } = await openShop(t, quiet);
  await until("the page is viewed", () => fixture.events().length === 1);
  await page.context().setOffline(true);
  await add(page, "p");
  await setHidden(page, true);
  const [kept] = await unsent(page);
  assert.equal(kept?.kind, "added_to_cart");

  const next = await page.context().newPage();
  await page.close();
  await next.context().setOffline(false);
  await next.goto(fixture.origin);
  await until("what was added is told", () => added(fixture).length === 1);
  assert.equal(added(fixture)[0]?.id, kept?.id);
  await next.waitForTimeout(2_000);
  assert.equal(added(fixture).length, 1);
  assert.deepEqual(await unsent(next), []);
});

test("no more than a hundred events are kept", async (t) => {
  const { page, fixture } = await openShop(t, quiet);
  await until("the page is viewed", () => fixture.events().length === 1);
  await page.context().setOffline(true);
  for (let i = 0; i < 120; i++) await add(page, `p${i}`);
  await setHidden(page, true);
  assert.equal((await unsent(page)).length, 100);
});

test("a server that errs is given the same events again", async (t) => {
  const { page, fixture } = await openShop(t, (fixture) => {
    quiet(fixture);
    fixture.refusals = [500, 503];
  });
  await until("the page is viewed", () => fixture.events().length === 1, 15_000);
  assert.equal(fixture.refusals.length, 0);
  assert.equal(await page.evaluate((key) => localStorage.getItem(key), KEY), null);
});

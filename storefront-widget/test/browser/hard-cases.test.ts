/** What a page, a browser or a visitor can do that nobody plans for. */
import assert from "node:assert/strict";
import test from "node:test";
import type { Page } from "playwright-core";
import { type Fixture, nudge } from "./fixture-server.ts";
import { openShop, setHidden, until } from "./shop.ts";

const UNSENT = "saleor-nudges-unsent";

const stored = (page: Page) => page.evaluate(() => Object.keys(localStorage).sort());
const track = (page: Page, product: string) =>
  page.evaluate((product) => window.saleorNudges?.track("added_to_cart", { product }), product);
const added = (fixture: Fixture) =>
  fixture
    .events()
    .filter(({ kind }) => kind === "added_to_cart")
    .map(({ product }) => product);

function often(fixture: Fixture): void {
  fixture.pollAfter = 1;
  fixture.withdrawn = [];
}

test("what leaves with the page tells neither its address nor its cookies", async (t) => {
  const { page, fixture } = await openShop(t, () => {}, { path: "/checkout?checkout=SECRET" });
  await page.evaluate(() => {
    // biome-ignore lint/suspicious/noDocumentCookie: as shops do
    document.cookie = "checkoutId-default-channel=SECRET";
  });
  await until("the page is viewed", () => fixture.events().length === 1);
  await page.locator("saleor-nudges").waitFor({ state: "attached" });
  await page.waitForTimeout(300);
  await track(page, "p");
  await setHidden(page, true);
  await until("what was added is told", () => added(fixture).length === 1);
  assert.deepEqual([...new Set(fixture.referers)], [`${fixture.origin}/`]);
  assert.deepEqual([...new Set(fixture.cookies)], [""]);
});

test("who says stop while a session is made is neither named nor stored", async (t) => {
  const { page, fixture } = await openShop(t, (fixture) => {
    often(fixture);
    fixture.sessionTakes = 500;
  });
  await until("the session is asked for", () => fixture.heard.includes("v1/session"));
  await page.evaluate(() => window.saleorNudges?.stop({ forget: true }));
  await page.waitForTimeout(1_500);
  assert.deepEqual(await stored(page), []);
  assert.deepEqual(fixture.asked, []);
  assert.deepEqual(fixture.batches, []);
});

test("what waited is dropped by stop(), and not told after the next page has loaded", async (t) => {
  const { page, fixture } = await openShop(t, (fixture) => {
    often(fixture);
    fixture.expectsRefusals = true;
  });
  await until("the page is viewed", () => fixture.events().length === 1);
  await page.context().setOffline(true);
  await track(page, "p");
  await setHidden(page, true);
  assert.ok((await stored(page)).includes(UNSENT));
  await page.evaluate(() => window.saleorNudges?.stop());
  assert.equal((await stored(page)).includes(UNSENT), false);
  await page.context().setOffline(false);
  await page.reload();
  await until("the next page is viewed", () => fixture.events().length === 2);
  assert.deepEqual(added(fixture), []);
});

test("a consent that is taken back in the page takes along what waited", async (t) => {
  const { page, fixture } = await openShop(t, (fixture) => {
    fixture.tag = fixture.tag.replace("<script", '<script data-consent="given"');
  });
  await until("the page is viewed", () => fixture.events().length === 1);
  await page.locator(".toast").waitFor();
  await track(page, "p");
  await page.evaluate(() =>
    document.querySelector("script")?.setAttribute("data-consent", "required"),
  );
  await page.waitForTimeout(2_000);
  assert.deepEqual(added(fixture), []);
});

for (const kept of ["{}", "[1]", "{", '"x"']) {
  test(`what somebody else left in our place (${kept}) stops nothing`, async (t) => {
    const { page, fixture } = await openShop(t);
    await page.evaluate(
      ([name, kept]) => localStorage.setItem(name ?? "", kept ?? ""),
      [UNSENT, kept],
    );
    await page.reload();
    await page.locator(".toast").waitFor();
    await until("the page is viewed", () =>
      fixture.batches.some(({ events }) =>
        events.some((event) => event?.kind === "product_viewed"),
      ),
    );
  });
}

test("what a server will never take is not brought to it by every page", async (t) => {
  const { page, fixture } = await openShop(t, (fixture) => {
    fixture.expectsRefusals = true;
    fixture.refusals = [400];
  });
  await until("it is refused", () => fixture.refusals.length === 0);
  await page.waitForTimeout(700);
  await page.evaluate(
    (name) => localStorage.setItem(name, JSON.stringify([{ kind: "added_to_cart" }])),
    UNSENT,
  );
  fixture.refusals = [400];
  await page.reload();
  await until("it is refused again", () => fixture.refusals.length === 0);
  await page.waitForTimeout(300);
  assert.equal((await stored(page)).includes(UNSENT), false);
  await page.reload();
  await page.locator(".toast").waitFor();
});

test("a place given to another product says nothing of the one before", async (t) => {
  const product = { id: "UHJvZHVjdDox", name: "Oak chair", slug: "oak-chair" };
  const { page, fixture } = await openShop(t, (fixture) => {
    often(fixture);
    fixture.tag = fixture.tag.replace('data-product="UHJvZHVjdDox"', 'data-page="LISTING"');
    fixture.body = `<span data-saleor-nudges-product="${product.id}"></span>`;
    fixture.nudges = [nudge("n0000001", { slot: "INLINE", product, text: "3 bought this" })];
  });
  await page.locator("[part=inline]").waitFor();
  await page.evaluate(() =>
    document
      .querySelector("[data-saleor-nudges-product]")
      ?.setAttribute("data-saleor-nudges-product", "UHJvZHVjdDoy"),
  );
  await page.locator("[part=inline]").waitFor({ state: "detached" });
  await until(
    "the other is asked for",
    () => fixture.asked.at(-1)?.get("products") === "UHJvZHVjdDoy",
  );
  await page.waitForTimeout(500);
  assert.equal(await page.locator("[part=inline]").count(), 0);
});

test("a field that is none does not trouble the checkout", async (t) => {
  const { page, fixture } = await openShop(
    t,
    (fixture) => {
      fixture.display.capturesContact = true;
      fixture.tag = fixture.tag.replace("<script", '<script data-consent="given"');
      fixture.body = "<my-field></my-field>";
    },
    { path: "/checkout" },
  );
  await until("the page is viewed", () => fixture.events().length === 1);
  await page.evaluate(() => {
    const field = document.querySelector("my-field");
    Object.assign(field ?? {}, { type: "email", value: null });
    field?.dispatchEvent(new Event("change", { bubbles: true }));
    Object.assign(field ?? {}, { value: "anna@example.com" });
    field?.dispatchEvent(new Event("change", { bubbles: true }));
  });
  await page.waitForTimeout(300);
});

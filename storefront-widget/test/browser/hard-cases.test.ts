/** What a page, a browser or a visitor can do that nobody plans for. */
import assert from "node:assert/strict";
import test from "node:test";
import type { Page } from "playwright-core";
import { type Fixture, nudge } from "./fixture-server.ts";
import { openShop, setHidden, shifts, until } from "./shop.ts";

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
  assert.deepEqual([...new Set(fixture.referers)], [""]);
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

for (const kept of ["{}", "[1]", "[null]", "{", '"x"', "null"]) {
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
    (name) => localStorage.setItem(name, JSON.stringify([{ id: "1", kind: "added_to_cart" }])),
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

test("what no JSON can hold is dropped alone, with a warning", async (t) => {
  const { page, fixture } = await openShop(t, (fixture) => {
    often(fixture);
    fixture.expectsWarnings = true;
  });
  await until("the page is viewed", () => fixture.events().length > 0);
  await page.evaluate(() => {
    const cycle: Record<string, unknown> = { product: "cycle" };
    cycle.self = cycle;
    window.saleorNudges?.track("added_to_cart", cycle);
    window.saleorNudges?.track("added_to_cart", { product: "big", quantity: 1n });
    window.saleorNudges?.track("added_to_cart", { product: "p", kind: "order_placed", id: "1" });
  });
  await until("the other is told", () => added(fixture).length > 0);
  assert.deepEqual(added(fixture), ["p"]);
  assert.equal(fixture.warnings.length, 2);
});

test("a store that is full is the page's memory: one visitor, page after page", async (t) => {
  const { page, fixture } = await openShop(t, often, {
    init: () => {
      for (let size = 1 << 22; size >= 1; size = Math.floor(size / 2)) {
        try {
          localStorage[`full ${size}`] = "x".repeat(size);
        } catch {}
      }
    },
  });
  await page.locator(".toast").waitFor();
  await until("it is asked again", () => fixture.asked.length > 2);
  const before = fixture.asked.length;
  await page.evaluate(() => history.pushState(null, "", "/elsewhere"));
  await until("the next page asks", () => fixture.asked.length > before + 1);
  assert.deepEqual(fixture.sessions, ["{}"]);
  assert.equal((await stored(page)).includes("saleor-nudges"), false);
});

test("who is forgotten in one tab is not known in another", async (t) => {
  const { page, fixture } = await openShop(t, often);
  await page.locator(".toast").waitFor();
  fixture.nudges.push(nudge("n0000002"));
  const other = await page.context().newPage();
  await other.goto(fixture.origin);
  await other.locator(".toast").waitFor();
  await page.evaluate(() => window.saleorNudges?.stop({ forget: true }));
  await other.locator(".toast").waitFor({ state: "detached" });
  const asked = fixture.asked.length;
  await page.waitForTimeout(2_500);
  assert.equal(fixture.asked.length, asked);
  assert.deepEqual(fixture.sessions, ["{}"]);
  assert.deepEqual([await stored(page), await stored(other)], [[], []]);
});

test("two tabs that are offline keep what both have to tell", async (t) => {
  const { page, fixture } = await openShop(t, often);
  fixture.expectsRefusals = true;
  const other = await page.context().newPage();
  await other.goto(fixture.origin);
  await until("both pages are viewed", () => fixture.events().length > 1);
  await page.context().setOffline(true);
  for (const [tab, product] of [
    [page, "p"],
    [other, "q"],
  ] as const) {
    await track(tab, product);
    await setHidden(tab, true);
  }
  const next = await page.context().newPage();
  await page.close();
  await other.close();
  await next.context().setOffline(false);
  await next.goto(fixture.origin);
  await until("both are told", () => added(fixture).length > 1);
  assert.deepEqual(added(fixture).sort(), ["p", "q"]);
});

test("a clock that is set back silences nothing", async (t) => {
  const { page, fixture } = await openShop(t, often);
  await until("the page is viewed", () => fixture.events().length > 0);
  await page.evaluate(() => {
    const now = Date.now;
    Date.now = () => now() - 86_400_000;
  });
  const before = fixture.asked.length;
  await until("it is asked twice", () => fixture.asked.length > before + 1);
});

test("a draft is told nothing of what its reader has closed", async (t) => {
  const { page, fixture } = await openShop(t, () => {}, { path: "/?nudges-preview=signed" });
  await page.locator(".toast").waitFor();
  await page.evaluate(() => localStorage.setItem("saleor-nudges-closed", "n0000009"));
  await page.reload();
  await until("the draft is asked for", () => fixture.asked.length === 2);
  assert.equal(fixture.asked[1]?.get("exclude"), null);
});

test("other attributes of the element begin no new visit", async (t) => {
  const { page, fixture } = await openShop(t, (fixture) => {
    often(fixture);
    fixture.tag = `<saleor-nudges channel="default-channel"></saleor-nudges>
      ${fixture.tag.replace(/data-\S+/g, "")}`;
  });
  await until("the page is viewed", () => fixture.events().length > 0);
  await page.locator("saleor-nudges").evaluate((element: HTMLElement) => {
    const others = ["class", "id", "inert", "aria-hidden", "data-reactid"];
    for (const name of others) element.setAttribute(name, "x");
    element.style.color = "red";
  });
  const before = fixture.asked.length;
  await until("it is asked on", () => fixture.asked.length > before + 1);
  const views = fixture.events().filter(({ kind }) => kind === "page_viewed");
  assert.equal(views.length, 1);
});

test("a script without an address says so, and no more", async (t) => {
  const { page, fixture } = await openShop(
    t,
    (fixture) => {
      fixture.expectsWarnings = true;
      fixture.tag = '<saleor-nudges channel="default-channel"></saleor-nudges>';
    },
    { bypassCSP: true },
  );
  await page.addScriptTag({ path: "dist/widget.js" });
  assert.deepEqual(fixture.warnings, ["saleor-nudges: no src"]);
  assert.equal(await page.evaluate(() => window.saleorNudges), undefined);
});

test("a page that lays out its body's children, or takes another body, keeps its own", async (t) => {
  const { page, fixture } = await openShop(t, (fixture) => {
    often(fixture);
    fixture.css = `body { display: flex; flex-direction: column; gap: 40px; margin: 0;
      justify-content: space-between; min-height: 100vh }`;
  });
  await page.locator(".toast").waitFor();
  assert.equal(await shifts(page), 0);
  fixture.nudges = [nudge("n0000002")];
  await page.evaluate(() => {
    const body = document.createElement("body");
    body.textContent = "The next page";
    document.body.replaceWith(body);
  });
  await page.keyboard.press("Escape");
  await page.getByText("Nudge n0000002", { exact: true }).waitFor();
});

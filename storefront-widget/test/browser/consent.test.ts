import assert from "node:assert/strict";
import test from "node:test";
import type { Page } from "playwright-core";
import { display, type Fixture, nudge } from "./fixture-server.ts";
import { openShop, until } from "./shop.ts";

const stored = (page: Page) =>
  page.evaluate(() => [
    ...Object.keys(localStorage),
    ...Object.keys(sessionStorage),
    document.cookie,
  ]);

function required(fixture: Fixture): void {
  fixture.tag = fixture.tag.replace("async", 'data-consent="required" async');
}

function optIn(fixture: Fixture): void {
  fixture.display = display({ consentMode: "OPT_IN" });
}

test("with consent required, nothing at all leaves the page before resume()", async (t) => {
  const { page, fixture } = await openShop(t, required);
  await page.locator("saleor-nudges").waitFor({ state: "attached" });
  await page.evaluate(() => window.saleorNudges?.track("added_to_cart", { product: "p" }));
  await page.waitForTimeout(2_500);
  assert.deepEqual(fixture.heard, []);
  assert.deepEqual(await stored(page), [""]);

  await page.evaluate(() => window.saleorNudges?.resume());
  await page.locator(".toast").waitFor();
  // What was done before is not told afterwards.
  await until("both views are reported", () => fixture.events().length > 1, 10_000);
  assert.deepEqual(
    fixture.events().map(({ kind }) => kind),
    ["product_viewed", "nudge_viewed"],
  );
  assert.deepEqual(fixture.settings, []);
  assert.deepEqual(await stored(page), ["saleor-nudges", "saleor-nudges-shown", ""]);
});

test("a shop that asks first is known by one request, the same for everybody", async (t) => {
  const { page, fixture } = await openShop(t, (fixture) => {
    optIn(fixture);
    fixture.pollAfter = 1;
    fixture.tag = fixture.tag.replace("async", `data-checkout="${"ab".repeat(32)}" async`);
  });
  await until("the settings are asked for", () => fixture.settings.length === 1);
  await page.evaluate(() => window.saleorNudges?.track("added_to_cart", { product: "p" }));
  await page.waitForTimeout(2_500);
  assert.equal(fixture.settings[0]?.toString(), "channel=default-channel&count=0");
  assert.deepEqual(fixture.heard, ["v1/nudges"]);
  assert.deepEqual(await stored(page), [""]);
  assert.equal(await page.locator(".toast").count(), 0);

  await page.evaluate(() => window.saleorNudges?.resume());
  await page.locator(".toast").waitFor();
  assert.equal(fixture.asked[0]?.get("token"), "token-1");
  await until("the view is reported", () => fixture.events().length > 0);
  assert.equal(
    fixture.events().some(({ kind }) => kind === "added_to_cart"),
    false,
  );
});

test("after stop() nothing leaves the page, not even what waited to be reported", async (t) => {
  const { page, fixture } = await openShop(t, (fixture) => {
    fixture.pollAfter = 1;
  });
  await page.locator(".toast").waitFor();
  await page.evaluate(() => {
    window.saleorNudges?.track("added_to_cart", { product: "p" });
    window.saleorNudges?.stop();
    window.saleorNudges?.track("added_to_cart", { product: "q" });
  });
  const before = fixture.heard.length;
  await page.waitForTimeout(3_500);
  await page.goto("about:blank");
  await page.waitForTimeout(300);
  assert.equal(fixture.heard.length, before);
  assert.equal(
    fixture.events().some(({ kind }) => kind === "added_to_cart"),
    false,
  );
});

test("stop() can forget the visitor", async (t) => {
  const { page, fixture } = await openShop(t);
  await page.locator(".toast").waitFor();
  await page.evaluate(() => window.saleorNudges?.stop());
  assert.deepEqual(await stored(page), ["saleor-nudges", "saleor-nudges-shown", ""]);
  await page.evaluate(() => window.saleorNudges?.stop({ forget: true }));
  assert.deepEqual(await stored(page), [""]);
  await page.evaluate(() => window.saleorNudges?.resume());
  await until("a visitor nobody knows", () => fixture.sessions.length === 2);
  assert.deepEqual(fixture.sessions, ["{}", "{}"]);
});

test("a seller who begins to ask first is obeyed by pages that are open", async (t) => {
  const { page, fixture } = await openShop(t, (fixture) => {
    fixture.pollAfter = 1;
  });
  await page.locator(".toast").waitFor();
  optIn(fixture);
  await page.locator(".toast").waitFor({ state: "detached" });
  const before = fixture.heard.length;
  await page.waitForTimeout(3_000);
  assert.equal(fixture.heard.length, before);
  fixture.nudges = [nudge("n0000002")];
  await page.evaluate(() => window.saleorNudges?.resume());
  await page.getByText("Nudge n0000002", { exact: true }).waitFor();
});

test("a page that was rendered knowing of the consent says so", async (t) => {
  const { page, fixture } = await openShop(t, (fixture) => {
    optIn(fixture);
    fixture.tag = `<saleor-nudges channel="default-channel" consent="required"></saleor-nudges>
      ${fixture.tag.replace('data-channel="default-channel"', "")}`;
  });
  await page.waitForTimeout(500);
  assert.deepEqual(fixture.heard, []);
  await page.evaluate(() =>
    document.querySelector("saleor-nudges")?.setAttribute("consent", "given"),
  );
  await page.locator(".toast").waitFor();
  assert.deepEqual(fixture.settings, []);
});

test("a script tag that requires consent speaks for every element", async (t) => {
  const { page, fixture } = await openShop(t, (fixture) => {
    required(fixture);
    fixture.tag = `<saleor-nudges channel="default-channel"></saleor-nudges>
      ${fixture.tag.replace('data-channel="default-channel"', "")}`;
  });
  await page.waitForTimeout(800);
  assert.deepEqual(fixture.heard, []);
  await page.evaluate(() => window.saleorNudges?.resume());
  await page.locator(".toast").waitFor();
});

test("a consent tool that is earlier than the script hears when it is there", async (t) => {
  const { page, fixture } = await openShop(t, required, {
    init: () =>
      document.addEventListener("nudges:ready", () => window.saleorNudges?.resume(), {
        once: true,
      }),
  });
  await page.locator(".toast").waitFor();
  assert.equal(fixture.sessions.length, 1);
});

test("a browser that says no is not followed, whatever a consent tool says", async (t) => {
  const { page, fixture } = await openShop(t, required, {
    init: () => Object.defineProperty(navigator, "globalPrivacyControl", { value: true }),
  });
  await page.locator("saleor-nudges").waitFor({ state: "attached" });
  await page.evaluate(() => window.saleorNudges?.resume());
  await page.locator(".toast").waitFor();
  await page.waitForTimeout(2_500);
  assert.deepEqual(fixture.heard, ["v1/nudges"]);
  assert.deepEqual(await stored(page), [""]);
});

test("a server in trouble, which cannot say what the seller wants, is asked again", async (t) => {
  const { page, fixture } = await openShop(
    t,
    (fixture) => {
      fixture.display = { enabled: false } as Fixture["display"];
    },
    { clock: true },
  );
  await until("the settings are asked for", () => fixture.settings.length === 1);
  await page.waitForTimeout(300);
  // Asked again it may be, by now; nothing else is asked of it.
  assert.deepEqual([...new Set(fixture.heard)], ["v1/nudges"]);
  fixture.display = display();
  await page.clock.runFor(60_000);
  await page.locator(".toast").waitFor();
});

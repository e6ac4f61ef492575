import assert from "node:assert/strict";
import test from "node:test";
import type { Page } from "playwright-core";
import { display, type Fixture, nudge } from "./fixture-server.ts";
import { openShop, until } from "./shop.ts";

/** The script's files on the page so far, without the hash in their names. */
const files = (page: Page) =>
  page.evaluate(() =>
    performance
      .getEntriesByType("resource")
      .flatMap(({ name }) => name.match(/widget(\/\w+)?(?=[.\w]*\.js)/)?.[0] ?? []),
  );

test("the loader stays alone where there is nothing to show", async (t) => {
  const { page, fixture } = await openShop(t, (fixture) => {
    fixture.nudges = [];
    fixture.pollAfter = 1;
  });
  await until("the page is reported", () => fixture.events().length === 1);
  assert.deepEqual(await files(page), ["widget"]);
  fixture.nudges = [nudge("n0000001")];
  await page.locator(".toast").waitFor();
  assert.deepEqual(await files(page), ["widget", "widget/view"]);
});

test("a toast's code comes when it is due, a place's code at once", async (t) => {
  for (const slot of ["TOAST", "INLINE"]) {
    const { page, fixture } = await openShop(t, (fixture) => {
      fixture.nudges = [nudge("n0000001", { slot })];
      fixture.display = display({ initialDelay: 60 });
      if (slot === "INLINE") fixture.body = '<p data-saleor-nudges-product="UHJvZHVjdDox"></p>';
    });
    await until("nudges are asked for", () => fixture.asked.length === 1);
    await page.waitForTimeout(1_500);
    assert.deepEqual((await files(page)).slice(1), slot === "INLINE" ? ["widget/view"] : []);
  }
});

for (const refusal of [403, 404, 410]) {
  test(`a server that answers ${refusal} is not asked again, nor told anything`, async (t) => {
    const { page, fixture } = await openShop(t, (fixture) => {
      fixture.refusal = refusal;
      fixture.expectsRefusals = true;
      fixture.tag = fixture.tag.replace("async", 'data-consent="given" async');
    });
    await until("nudges are asked for", () => fixture.asked.length === 1);
    await page.evaluate(() => window.saleorNudges?.track("added_to_cart", { product: "p" }));
    await page.waitForTimeout(6_000);
    assert.deepEqual(fixture.heard, ["v1/session", "v1/nudges"]);
    await page.goto("about:blank");
    await page.waitForTimeout(300);
    assert.deepEqual(fixture.batches, []);
  });
}

test("where the seller shows nothing, what the page does is told all the same", async (t) => {
  const { fixture } = await openShop(t, (fixture) => {
    fixture.display = display({ enabled: false });
    fixture.nudges = [];
  });
  await until("the page is reported", () => fixture.events().length === 1, 8_000);
  assert.equal(fixture.asked.length, 1);
});

test("a server in trouble is asked again at once, then ever more rarely", async (t) => {
  const { page, fixture } = await openShop(
    t,
    (fixture) => {
      fixture.refusal = 503;
      fixture.expectsRefusals = true;
      fixture.tag = fixture.tag.replace("async", 'data-consent="given" async');
    },
    { clock: true },
  );
  await until("it is asked twice", () => fixture.asked.length === 2);
  for (const [seconds, asked] of [
    [8, 2],
    [4, 3],
    [15, 3],
    [7, 4],
  ] as const) {
    await page.clock.runFor(seconds * 1000);
    await page.waitForTimeout(200);
    assert.equal(fixture.asked.length, asked, `${seconds} seconds later`);
  }
});

for (const [retryAfter, quiet] of [
  ["60", 50],
  ["Wed, 21 Oct 2015 07:28:00 GMT", 0],
  ["86400", 0],
] as const) {
  test(`a server that asks to be left alone (${retryAfter}) is, for an hour at most`, async (t) => {
    const { page, fixture } = await openShop(
      t,
      (fixture) => {
        fixture.refusal = 429;
        fixture.retryAfter = retryAfter;
        fixture.expectsRefusals = true;
        fixture.tag = fixture.tag.replace("async", 'data-consent="given" async');
      },
      { clock: true },
    );
    await until("it is asked", () => fixture.asked.length === 1);
    if (quiet) {
      await page.waitForTimeout(300);
      await page.clock.runFor(quiet * 1000);
      await page.waitForTimeout(300);
      assert.equal(fixture.asked.length, 1);
      await page.clock.runFor(20_000);
    }
    await until("it is asked again", () => fixture.asked.length === 2);
  });
}

function breaks(fixture: Fixture): void {
  fixture.nudges = [nudge("n0000001")];
  // What no view can show.
  Object.assign(fixture.nudges[0] as object, { product: 7, evidence: 7, slot: 7 });
}

test("nothing that the server answers reaches the page as an error", async (t) => {
  const { page, fixture } = await openShop(t, breaks);
  await until("nudges are asked for", () => fixture.asked.length === 1);
  await page.waitForTimeout(1_000);
  assert.equal(await page.locator(".toast").count(), 0);
});

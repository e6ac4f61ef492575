import assert from "node:assert/strict";
import test from "node:test";
import { type Fixture, nudge } from "./fixture-server.ts";
import { openShop, setHidden, until } from "./shop.ts";

const UUID7 = /^[0-9a-f]{12}7[0-9a-f]{3}8[0-9a-f]{15}$/;

/** What happens is told with the next poll. */
const often = (fixture: Fixture) => {
  fixture.pollAfter = 1;
  fixture.withdrawn = [];
};

test("a product's page is reported once, and a nudge when it has been seen", async (t) => {
  const { page, fixture } = await openShop(t, (fixture) => {
    often(fixture);
    fixture.tag = fixture.tag.replace("async", 'data-page="PRODUCT" async');
  });
  await page.locator(".toast").waitFor();
  await until("the nudge is seen", () => fixture.events().length === 2);
  await page.waitForTimeout(2500);
  const events = fixture.events();
  assert.deepEqual(
    events.map(({ id, at, ...event }) => event),
    [
      {
        kind: "product_viewed",
        channel: "default-channel",
        page: "PRODUCT",
        product: "UHJvZHVjdDox",
      },
      { kind: "nudge_viewed", channel: "default-channel", page: "PRODUCT", nudge: "n0000001" },
    ],
  );
  for (const { id, at } of events) {
    assert.match(id, UUID7);
    assert.ok(Math.abs(Date.parse(at) - Date.now()) < 30_000);
  }
  assert.deepEqual(
    fixture.batches.map(({ type, token, channel }) => ({ type, token, channel })),
    fixture.batches.map(() => ({
      type: "text/plain;charset=UTF-8",
      token: "token-1",
      channel: "default-channel",
    })),
  );
  assert.deepEqual(fixture.sessions, ["{}"]);
  assert.equal(fixture.asked[0]?.get("token"), "token-1");

  await page.reload();
  await until("the page is reported again", () => fixture.events().length === 3);
  assert.equal(fixture.sessions.length, 1);
});

test("a nudge that was gone before it was seen is not reported as seen", async (t) => {
  const { page, fixture } = await openShop(t, often);
  await page.locator(".toast").waitFor();
  await page.keyboard.press("Escape");
  await until("the closing is reported", () =>
    fixture.events().some(({ kind }) => kind === "nudge_closed"),
  );
  await page.waitForTimeout(1200);
  assert.deepEqual(
    fixture.events().map(({ kind }) => kind),
    ["product_viewed", "nudge_closed"],
  );
});

test("a click follows the link and is reported though the page goes away", async (t) => {
  const { page, fixture } = await openShop(t, (fixture) => {
    fixture.nudges = [nudge("n0000001", { href: "/oak-chair" })];
  });
  await page.locator(".toast").waitFor();
  // The words beside the link are the link, too.
  await page.locator(".toast [part=text]").click({ force: true });
  await page.waitForURL("**/oak-chair");
  await until("the click is reported", () =>
    fixture.events().some(({ kind, nudge }) => kind === "nudge_clicked" && nudge === "n0000001"),
  );
});

test("a shop with a router of its own can keep the click", async (t) => {
  const { page, fixture } = await openShop(
    t,
    (fixture) => {
      fixture.nudges = [nudge("n0000001", { href: "/oak-chair" })];
    },
    { init: () => addEventListener("nudges:clicked", (event) => event.preventDefault()) },
  );
  await page.locator(".toast").click();
  await until("the click is reported", () =>
    fixture.events().some(({ kind }) => kind === "nudge_clicked"),
  );
  assert.equal(page.url(), `${fixture.origin}/`);
});

test("a link that is opened elsewhere is the browser's, and counts", async (t) => {
  const { page, fixture } = await openShop(
    t,
    (fixture) => {
      fixture.nudges = [nudge("n0000001", { href: "/oak-chair" })];
    },
    { init: () => addEventListener("nudges:clicked", (event) => event.preventDefault()) },
  );
  await page.locator(".toast").waitFor();
  for (const modifiers of [["Control"], ["Shift"]] as const) {
    const opened = page.context().waitForEvent("page");
    await page.locator(".toast").click({ modifiers: [...modifiers] });
    const other = await opened;
    await other.waitForURL("**/oak-chair");
    await other.close();
  }
  assert.equal(page.url(), `${fixture.origin}/`);
  await setHidden(page, true);
  await until(
    "both clicks are reported",
    () => fixture.events().filter(({ kind }) => kind === "nudge_clicked").length === 2,
  );
});

test("a page that is hidden sends what it has at once", async (t) => {
  const { page, fixture } = await openShop(t);
  await until("the view is reported", () => fixture.events().length === 1);
  // The answer has come, and the next turn is far.
  await page.locator(".toast").waitFor();
  await page.evaluate(() => window.saleorNudges?.track("added_to_cart", { product: "p" }));
  await setHidden(page, true);
  await until("what was added is reported", () => fixture.events().length === 2);
  assert.equal(fixture.batches[1]?.type, "text/plain;charset=UTF-8");
  await page.waitForTimeout(2500);
  assert.equal(fixture.events().length, 2);
});

test("a server that is busy gets the same events once more, when it said", async (t) => {
  const { fixture } = await openShop(t, (fixture) => {
    often(fixture);
    fixture.nudges = [];
    fixture.refusals = [503];
    fixture.expectsRefusals = true;
  });
  await until("the view is reported", () => fixture.events().length === 1);
  assert.equal(fixture.refusals.length, 0);
});

for (const [what, nudges] of [
  ["asking", [nudge("n0000001")]],
  ["reporting", []],
] as const) {
  test(`a token that is not known any more is changed for a new one while ${what}`, async (t) => {
    const { page, fixture } = await openShop(t, (fixture) => {
      often(fixture);
      fixture.nudges = [...nudges];
      fixture.expectsRefusals = true;
      if (what === "asking") fixture.unknownTokens = ["token-1"];
    });
    if (what === "reporting") {
      await until("the view is reported", () => fixture.events().length > 0);
      fixture.unknownTokens = ["token-1"];
      await page.evaluate(() => window.saleorNudges?.track("added_to_cart", { product: "p" }));
    } else await page.locator(".toast").waitFor();
    await until("it is reported", () => fixture.batches.at(-1)?.token === "token-2");
    assert.deepEqual(fixture.sessions, ["{}", "{}"]);
    assert.equal(
      fixture.events().at(-1)?.kind,
      what === "asking" ? "product_viewed" : "added_to_cart",
    );
  });
}

test("a nudge for another place is not made a toast", async (t) => {
  const { page } = await openShop(t, (fixture) => {
    fixture.nudges = [nudge("n0000001", { slot: "product-page" }), nudge("n0000002")];
  });
  await page.getByText("Nudge n0000002", { exact: true }).waitFor();
});

test("a browser that says no is shown nudges, but not followed", async (t) => {
  const { page, fixture } = await openShop(t, () => {}, {
    init: () => Object.defineProperty(navigator, "globalPrivacyControl", { value: true }),
  });
  await page.locator(".toast").waitFor();
  await page.evaluate(() => window.saleorNudges?.track("added_to_cart", { product: "p" }));
  await page.keyboard.press("Escape");
  await page.waitForTimeout(2500);
  assert.deepEqual(fixture.sessions, []);
  assert.deepEqual(fixture.batches, []);
  assert.equal(fixture.asked[0]?.get("token"), null);
  assert.deepEqual(
    await page.evaluate(() => [{ ...localStorage }, { ...sessionStorage }, document.cookie]),
    // What they chose themselves.
    [{ "saleor-nudges-closed": "n0000001" }, {}, ""],
  );
});

test("the page's own code can report, stop and resume", async (t) => {
  const { page, fixture } = await openShop(t, often);
  await page.locator(".toast").waitFor();
  await page.evaluate(() =>
    window.saleorNudges?.track("added_to_cart", { product: "p", variant: "v", quantity: 2 }),
  );
  await until("what happened is reported", () =>
    fixture.events().some(({ kind }) => kind === "added_to_cart"),
  );
  const added = fixture.events().find(({ kind }) => kind === "added_to_cart");
  assert.deepEqual([added?.product, added?.variant], ["p", "v"]);

  await page.evaluate(() => window.saleorNudges?.stop());
  assert.equal(await page.locator(".toast:not(.leaving)").count(), 0);
  fixture.nudges = [nudge("n0000002")];
  await page.evaluate(() => window.saleorNudges?.resume());
  await page.getByText("Nudge n0000002", { exact: true }).waitFor();
});

test("the element starts over when the page changes under it", async (t) => {
  const { page, fixture } = await openShop(t, (fixture) => {
    fixture.tag = `<saleor-nudges channel="default-channel" page="HOME" language-code="DE"></saleor-nudges>
      ${fixture.tag.replace(/data-\S+/g, "")}`;
    often(fixture);
    fixture.nudges = [];
  });
  await until("nudges are asked for", () => fixture.asked.length > 0);
  assert.deepEqual(
    ["page", "product", "languageCode"].map((name) => fixture.asked[0]?.get(name)),
    ["HOME", null, "DE"],
  );
  await page.evaluate(() => {
    const element = document.querySelector("saleor-nudges");
    element?.setAttribute("page", "PRODUCT");
    element?.setAttribute("product", "UHJvZHVjdDoy");
  });
  await until("nudges are asked for again", () =>
    fixture.asked.some((asked) => asked.get("product") === "UHJvZHVjdDoy"),
  );
  await until("both pages are reported", () => fixture.events().length === 2);
  await page.waitForTimeout(2500);
  assert.deepEqual(
    fixture.events().map(({ kind, product }) => [kind, product]),
    [
      ["page_viewed", undefined],
      ["product_viewed", "UHJvZHVjdDoy"],
    ],
  );
});

test("an element whose attributes come late is not late, and says nothing meanwhile", async (t) => {
  const { page, fixture } = await openShop(t, (fixture) => {
    fixture.tag = fixture.tag.replace('data-channel="default-channel"', "");
  });
  await page.waitForFunction(() => window.saleorNudges);
  await page.evaluate(() => {
    const element = document.body.appendChild(document.createElement("saleor-nudges"));
    element.setAttribute("page", "SEARCH");
    element.setAttribute("channel", "default-channel");
  });
  await page.locator(".toast").waitFor();
  assert.deepEqual(
    fixture.asked.map((asked) => asked.get("page")),
    ["SEARCH"],
  );
});

test("a server that is away is not the page's trouble", async (t) => {
  const { page, fixture } = await openShop(t, (fixture) => {
    fixture.away = true;
    fixture.expectsRefusals = true;
  });
  await until("the settings are asked for", () => fixture.settings.length === 1);
  await page.waitForTimeout(500);
  assert.equal(await page.locator(".toast").count(), 0);
  assert.equal(await page.evaluate(() => typeof window.saleorNudges?.track), "function");
  // Nobody knows what the seller wants, so nobody is followed.
  assert.deepEqual([...new Set(fixture.heard)], ["v1/nudges"]);
  assert.equal(fixture.asked.length, 0);
});

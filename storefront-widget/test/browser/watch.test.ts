import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import test from "node:test";
import type { Page } from "playwright-core";
import { display, type Fixture } from "./fixture-server.ts";
import { openShop, setHidden, until } from "./shop.ts";

const ID = "Q2hlY2tvdXQ6MTIzLWE=";
const HASH = createHash("sha256").update(ID).digest("hex");
const CHECKOUT = { path: "/de/checkout/contact" };

/** A checkout whose visitor agreed, of a seller who wants to know contacts. */
function checkout(fixture: Fixture): void {
  fixture.nudges = [];
  fixture.pollAfter = 1;
  fixture.display = display({ capturesContact: true });
  fixture.tag = fixture.tag.replace(
    /data-product=\S+/,
    `data-checkout="${HASH}" data-consent="given"`,
  );
  fixture.body = '<form><input type="email" id="email"><input type="text" id="name"></form>';
}

const told = (fixture: Fixture, kind: string) =>
  fixture.events().filter((event) => event.kind === kind);

async function type(page: Page, text: string, field = "#email"): Promise<void> {
  await page.locator(field).fill(text);
  await page.locator(field).blur();
}

const leaveByTop = (page: Page, clientY: number) =>
  page.evaluate(
    (clientY) => document.documentElement.dispatchEvent(new MouseEvent("mouseleave", { clientY })),
    clientY,
  );

test("the checkout in the shop's cookie is named by its hash, from the first request on", async (t) => {
  const { page, fixture } = await openShop(
    t,
    (fixture) => {
      fixture.nudges = [];
      fixture.pollAfter = 1;
    },
    {
      init: () => {
        Object.assign(document, { cookie: "checkoutId-default-channel=Q2hlY2tvdXQ6MTIzLWE%3D" });
      },
    },
  );
  await until("nudges are asked for", () => fixture.asked.length > 0);
  assert.equal(fixture.asked[0]?.get("checkout"), HASH);
  await until("the page is told of", () => fixture.batches.length > 0);
  assert.equal(fixture.batches[0]?.checkout, HASH);
  // Read anew before each request.
  await page.evaluate(() => {
    Object.assign(document, { cookie: "checkoutId-default-channel=; max-age=0" });
  });
  await page.evaluate(() => {
    Object.assign(document, { cookie: "checkoutId-default-channel=another" });
  });
  const another = createHash("sha256").update("another").digest("hex");
  await until("the other is named", () => fixture.asked.at(-1)?.get("checkout") === another);
});

test("a browser that says no has its checkout named to nobody", async (t) => {
  const { fixture } = await openShop(t, checkout, {
    init: () => {
      Object.defineProperty(navigator, "globalPrivacyControl", { value: true });
      Object.assign(document, { cookie: "checkoutId-default-channel=Q2hlY2tvdXQ6MTIzLWE%3D" });
    },
    ...CHECKOUT,
  });
  await until("nudges are asked for", () => fixture.asked.length > 1);
  assert.equal(fixture.asked[0]?.get("checkout"), null);
});

test("who is about to leave the checkout by its top is noticed, once", async (t) => {
  const { page, fixture } = await openShop(t, checkout, CHECKOUT);
  await until("the page is viewed", () => fixture.events().length === 1);
  await page.evaluate(() => {
    Object.assign(window, { exits: 0 });
    document.addEventListener("nudges:exit-intent", () => {
      (window as unknown as { exits: number }).exits++;
    });
  });
  await leaveByTop(page, 300);
  await leaveByTop(page, 0);
  await leaveByTop(page, -3);
  await until("it is told", () => told(fixture, "exit_intent").length === 1);
  await page.waitForTimeout(1_500);
  assert.equal(told(fixture, "exit_intent").length, 1);
  assert.equal(await page.evaluate(() => (window as unknown as { exits: number }).exits), 1);
});

test("on what is touched, putting the checkout away is leaving", async (t) => {
  const { page, fixture } = await openShop(t, checkout, {
    ...CHECKOUT,
    hasTouch: true,
    isMobile: true,
  });
  await until("the page is viewed", () => fixture.events().length === 1);
  await setHidden(page, true);
  await until("it is told", () => told(fixture, "exit_intent").length === 1);
});

test("nobody is watched who only looks at a product", async (t) => {
  const { page, fixture } = await openShop(t, (fixture) => {
    fixture.nudges = [];
    fixture.pollAfter = 1;
  });
  await until("the page is viewed", () => fixture.events().length === 1);
  await leaveByTop(page, 0);
  await page.waitForTimeout(1_500);
  assert.deepEqual(told(fixture, "exit_intent"), []);
});

test("an address typed in the checkout is told once, as what its visitor agreed to", async (t) => {
  const { page, fixture } = await openShop(t, checkout, CHECKOUT);
  await until("the page is viewed", () => fixture.events().length === 1);
  await type(page, "not an address");
  await type(page, "ada@shop.example", "#name");
  await type(page, "ada@shop.example");
  await type(page, "");
  await type(page, " ada@shop.example ");
  await type(page, "ada@lovelace.example");
  await until("both are told", () => told(fixture, "checkout_contact_known").length === 2);
  await page.waitForTimeout(1_500);
  assert.deepEqual(
    told(fixture, "checkout_contact_known").map(({ data }) => data),
    [
      { email: "ada@shop.example", agreed: true },
      { email: "ada@lovelace.example", agreed: true },
    ],
  );
  assert.equal(fixture.batches.at(-1)?.checkout, HASH);
});

for (const [what, change, path] of [
  [
    "the visitor has not agreed",
    (f: Fixture) => {
      f.tag = f.tag.replace(/data-consent=\S+/, "");
    },
    CHECKOUT.path,
  ],
  [
    "the seller does not want it",
    (f: Fixture) => {
      f.display = display();
    },
    CHECKOUT.path,
  ],
  [
    "the checkout is not known",
    (f: Fixture) => {
      f.tag = f.tag.replace(/data-checkout=\S+/, "");
    },
    CHECKOUT.path,
  ],
  ["it is not the checkout", () => {}, "/newsletter"],
] as const) {
  test(`an address is not told where ${what}`, async (t) => {
    const { page, fixture } = await openShop(
      t,
      (fixture) => {
        checkout(fixture);
        change(fixture);
      },
      { path },
    );
    await until("the page is viewed", () => fixture.events().length === 1);
    await type(page, "ada@shop.example");
    await page.waitForTimeout(1_500);
    assert.deepEqual(told(fixture, "checkout_contact_known"), []);
  });
}

test("who agrees in the checkout has the address told that they type then", async (t) => {
  const { page, fixture } = await openShop(
    t,
    (fixture) => {
      checkout(fixture);
      fixture.tag = fixture.tag.replace(/data-consent=\S+/, "");
    },
    CHECKOUT,
  );
  await until("the page is viewed", () => fixture.events().length === 1);
  await page.evaluate(() => window.saleorNudges?.resume());
  await type(page, "ada@shop.example");
  await until("it is told", () => told(fixture, "checkout_contact_known").length === 1);
  // Agreeing is no other page.
  assert.equal(told(fixture, "page_viewed").length, 1);
});

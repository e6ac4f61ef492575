import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import test, { type TestContext } from "node:test";
import { display, nudge } from "../browser/fixture-server.ts";
import { newPage, typeAddressUntil, until } from "./browse.ts";
import { type Files, serveNudges, serveShop } from "./serve.ts";
import { snippet } from "./snippets.ts";

const CHECKOUT = "Q2hlY2tvdXQ6MQ==";
const beside = (id: string, product: string, text: string) =>
  nudge(id, { product: { id: product, name: "A chair", slug: "chair" }, slot: "INLINE", text });

/** A page of snippets, and what it asks. */
async function open(t: TestContext, body: string, more: Files = {}, headers = {}) {
  const page = await newPage(t);
  const { nudges, fixture } = await serveNudges();
  const here = (text: string) => text.replaceAll("https://api.shop.example", nudges);
  const html = `<!doctype html><html lang="en"><head><title>A shop</title>
<link rel="stylesheet" href="/shop.css"></head><body><h1>A shop</h1>${here(body)}</body></html>`;
  const files = { "/": html, "/checkout": html, "/shop.css": snippet("shop.css"), ...more };
  const given = Object.fromEntries(
    Object.entries<string>(headers).map(([name, value]) => [name, here(value)]),
  );
  const origin = await serveShop(() => files, given);
  return { page, fixture, origin };
}

test("plain HTML: one tag shows what is true of the product", async (t) => {
  // given
  const { page, fixture, origin } = await open(t, snippet("product.html"));

  // when
  await page.goto(origin);

  // then
  await page.getByText("Someone in Lisbon bought this chair.").first().waitFor();
  const [asked] = fixture.asked;
  assert.deepEqual(
    ["channel", "page", "product", "languageCode"].map((name) => asked?.get(name)),
    ["default-channel", "PRODUCT", "UHJvZHVjdDox", "EN"],
  );
});

test("places in lists are filled by one request, and nothing moves", async (t) => {
  // given
  const { page, fixture, origin } = await open(t, snippet("list.html"));
  fixture.nudges = [
    beside("n0000001", "UHJvZHVjdDox", "14 people looked at this"),
    beside("n0000002", "UHJvZHVjdDoy", "9 people looked at this"),
  ];
  await page.route("**/v1/nudges*", async (route) => {
    heights.push(await height());
    await route.continue();
  });
  const heights: number[] = [];
  const height = () => page.evaluate(() => document.body.scrollHeight);

  // when
  await page.goto(origin);
  const places = page.locator("[data-saleor-nudges-product]");
  await page.getByText("9 people looked at this").waitFor();

  // then
  assert.equal(await places.locator("[part=text]").count(), 2);
  assert.equal(fixture.asked.length, 1);
  assert.equal(fixture.asked[0]?.get("products"), "UHJvZHVjdDox,UHJvZHVjdDoy");
  assert.equal(await height(), heights.at(-1));
});

test("nothing leaves the page before the consent tool has spoken, nor after it said no", async (t) => {
  // given
  const tag = snippet("product.html").replace("async", 'data-consent="required" async');
  const tool = `import { onConsent } from "./consent.js"; window.onConsent = onConsent;`;
  const { page, fixture, origin } = await open(
    t,
    `<script type="module" src="/tool.js"></script>${tag}`,
    { "/consent.js": snippet("consent.js"), "/tool.js": tool },
  );
  const say = (agreed: boolean) =>
    page.evaluate((agreed) => {
      (window as unknown as { onConsent(agreed: boolean): void }).onConsent(agreed);
    }, agreed);
  await page.goto(origin);
  await page.waitForFunction(() => "saleorNudges" in window && "onConsent" in window);
  await page.waitForTimeout(500);
  assert.deepEqual(fixture.heard, []);

  // when
  await say(true);

  // then
  await page.locator("saleor-nudges [part=toast]").waitFor();
  assert.equal(await page.evaluate(() => localStorage.getItem("saleor-nudges") !== null), true);

  // when
  await say(false);

  // then
  await page.locator("saleor-nudges [part=toast]").waitFor({ state: "detached" });
  const stored = () =>
    page.evaluate(() => [localStorage, sessionStorage].flatMap((store) => Object.keys(store)));
  assert.deepEqual(await stored(), []);
});

test("a consent tool that is earlier than the widget is heard", async (t) => {
  // given
  const tag = snippet("product.html").replace("async", 'data-consent="required" async');
  const tool = `import { onConsent } from "./consent.js"; onConsent(true); window.spoken = true;`;
  const { page, origin } = await open(t, `<script type="module" src="/tool.js"></script>${tag}`, {
    "/consent.js": snippet("consent.js"),
    "/tool.js": tool,
  });
  await page.route("**/v1/widget.js", async (route) => {
    await page.waitForFunction(() => "spoken" in window);
    await route.continue();
  });

  // when
  await page.goto(origin);

  // then
  await page.locator("saleor-nudges [part=toast]").waitFor();
});

test("what was put into the cart is told, with the hash of the cookie's checkout", async (t) => {
  // given
  const shop = `import { toldAddedToCart } from "./cart.js";
document.cookie = "checkoutId-default-channel=${encodeURIComponent(CHECKOUT)}; path=/";
document.querySelector("#add").addEventListener("click", () => toldAddedToCart("UHJvZHVjdDox", "VmFyaWFudDox"));`;
  const { page, fixture, origin } = await open(
    t,
    `<button id="add">Add</button><script type="module" src="/own.js"></script>${snippet("product.html")}`,
    { "/cart.js": snippet("cart.js"), "/own.js": shop },
  );
  await page.goto(origin);
  await page.locator("saleor-nudges [part=toast]").waitFor();

  // when
  await page.locator("#add").click();

  // then
  const added = () => fixture.events().find(({ kind }) => kind === "added_to_cart");
  await until("it is told", () => added() !== undefined);
  assert.equal(added()?.product, "UHJvZHVjdDox");
  assert.equal(added()?.variant, "VmFyaWFudDox");
  const hash = createHash("sha256").update(CHECKOUT).digest("hex");
  assert.equal(fixture.batches.at(-1)?.checkout, hash);
  assert.equal(
    JSON.stringify([fixture.batches, fixture.asked.map(String)]).includes(CHECKOUT),
    false,
  );
});

test("an address typed in the checkout is told when the visitor agreed, and only then", async (t) => {
  // given
  const { page, fixture, origin } = await open(t, snippet("checkout.html"), {
    "/consent.js": snippet("consent.js"),
    "/checkout.js": snippet("checkout.js"),
  });
  fixture.display = { ...display(), capturesContact: true };
  fixture.pollAfter = 1;
  const told = () => fixture.events().filter(({ kind }) => kind === "checkout_contact_known");
  await page.goto(origin);
  await page.evaluate((id) => {
    // biome-ignore lint/suspicious/noDocumentCookie: as a shop's server would set it.
    document.cookie = `checkoutId-default-channel=${encodeURIComponent(id)}; path=/`;
  }, CHECKOUT);
  await page.goto(`${origin}/checkout`);
  await page.waitForFunction(() => "saleorNudges" in window);
  await page.getByLabel("Email").fill("early@example.com");
  await page.getByLabel("Email").blur();
  await page.waitForTimeout(300);
  assert.deepEqual(fixture.heard, []);

  // when
  await page.getByLabel("Write to me").check();
  await until("the visit begins", () => fixture.asked.length > 0);
  await typeAddressUntil(page, "ben@example.com", () => told().length > 0);

  // then
  assert.deepEqual(
    told().map(({ data }) => data),
    [{ email: "ben@example.com", agreed: true }],
  );
});

test("the policy that is printed lets everything through", async (t) => {
  // given
  const [, policy = ""] = snippet("Content-Security-Policy").trim().split("\n");
  const { page, fixture, origin } = await open(
    t,
    `<p data-saleor-nudges-product="UHJvZHVjdDoy"></p>${snippet("product.html")}`,
    {},
    { "Content-Security-Policy": policy },
  );
  fixture.nudges.push(beside("n0000002", "UHJvZHVjdDoy", "9 people looked at this"));

  // when
  await page.goto(origin);

  // then
  await page.getByText("9 people looked at this").waitFor();
  await page.locator("saleor-nudges [part=toast]").waitFor();
});

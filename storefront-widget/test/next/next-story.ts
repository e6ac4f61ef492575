/** What a shopper does in a Next.js shop that followed docs/storefront.md, and what must come of it. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { Page } from "playwright-core";
import { display, type Fixture, nudge } from "../browser/fixture-server.ts";
import { typeAddressUntil, until } from "../docs/browse.ts";

const CHAIR = "UHJvZHVjdDox";
const TABLE = "UHJvZHVjdDoy";
/** As the shop sets it when something is put into the cart. */
const CHECKOUT = "Q2hlY2tvdXQ6MQ==";
const HOME = "/en/default-channel";

/** What saleor-nudges has to say about this shop. */
export function stock(fixture: Fixture): void {
  const beside = (id: string, product: string, text: string) =>
    nudge(id, { product: { id: product, name: "", slug: "" }, slot: "INLINE", text });
  fixture.nudges = [
    nudge("n0000001", { href: `${HOME}/products/oak-chair` }),
    beside("n0000002", CHAIR, "14 people looked at this chair"),
    beside("n0000003", TABLE, "9 people looked at this table"),
  ];
  fixture.display = { ...display(), capturesContact: true };
  fixture.pollAfter = 1;
}

/** From the front page by a nudge's link to a product, into the cart, and to the checkout. */
export async function shopAround(page: Page, fixture: Fixture, origin: string): Promise<void> {
  await lookAround(page, fixture, origin);
  await followTheNudge(page, fixture);
  await putIntoTheCart(page, fixture);
  await comeByALink(page, fixture);
  await goBack(page, fixture);
  await typeInTheCheckout(page, fixture, origin);
}

const told = (fixture: Fixture, kind: string) =>
  fixture.events().filter((event) => event.kind === kind);
const asked = (fixture: Fixture, name: string) => fixture.asked.at(-1)?.get(name);

/** The front page: its places and one toast, in the shop's own colours. */
async function lookAround(page: Page, fixture: Fixture, origin: string): Promise<void> {
  await page.goto(origin + HOME);
  await page.getByText("9 people looked at this table").waitFor();
  await page.locator("saleor-nudges [part=toast]").waitFor();
  const [first] = fixture.asked;
  assert.deepEqual(
    ["channel", "page", "product", "languageCode", "products"].map((name) => first?.get(name)),
    ["default-channel", "HOME", null, "EN", `${CHAIR},${TABLE}`],
  );
  const looks = await page.locator("saleor-nudges [part=toast]").evaluate((toast) => {
    const { backgroundColor, color, borderRadius } = getComputedStyle(toast);
    return { backgroundColor, color, borderRadius };
  });
  assert.deepEqual(looks, {
    backgroundColor: "rgb(253, 248, 234)",
    color: "rgb(43, 36, 16)",
    borderRadius: "8px",
  });
  await page.evaluate(() => Object.assign(window, { sameDocument: true }));
}

/** The link goes through the shop's router, and the product's page says which product it is about. */
async function followTheNudge(page: Page, fixture: Fixture): Promise<void> {
  await page.locator("saleor-nudges [part=link]").click();
  await page.getByRole("heading", { name: "Oak chair" }).waitFor();
  await until("it is asked about the product", () => asked(fixture, "product") === CHAIR);
  // A page with a product need not say what it is; none was taken for another in between.
  const pages = new Set(fixture.asked.map((asked) => asked.get("page") ?? "PRODUCT"));
  assert.deepEqual([...pages], ["HOME", "PRODUCT"]);
  assert.equal(await page.evaluate(() => "sameDocument" in window), true);
  await until("it is counted", () => told(fixture, "product_viewed").length > 0);
  assert.deepEqual(
    told(fixture, "product_viewed").map(({ product }) => product),
    [CHAIR],
  );
}

/** The cookie that the server sets is found, and only its hash leaves. */
async function putIntoTheCart(page: Page, fixture: Fixture): Promise<void> {
  await page.getByRole("button", { name: "Add to cart" }).click();
  await until("it is told", () => told(fixture, "added_to_cart").length > 0);
  const [added] = told(fixture, "added_to_cart");
  assert.deepEqual([added?.product, added?.variant], [CHAIR, "VmFyaWFudDox"]);
  const hash = createHash("sha256").update(CHECKOUT).digest("hex");
  await until("it is asked for this shopper", () => asked(fixture, "checkout") === hash);
  const left = JSON.stringify([fixture.batches, fixture.asked.map(String)]);
  assert.equal(left.includes(CHECKOUT) || left.includes(encodeURIComponent(CHECKOUT)), false);
}

/** A product's page that is loaded anew is about that product from the first request on. */
async function comeByALink(page: Page, fixture: Fixture): Promise<void> {
  const before = fixture.asked.length;
  await page.reload();
  await until("it is asked", () => fixture.asked.length > before);
  assert.equal(fixture.asked[before]?.get("product"), CHAIR);
  await page.evaluate(() => Object.assign(window, { sameDocument: true }));
}

/** The product is forgotten with its page. */
async function goBack(page: Page, fixture: Fixture): Promise<void> {
  await page.getByRole("link", { name: "All we make" }).click();
  await until("the page is another", () => asked(fixture, "page") === "HOME");
  assert.equal(asked(fixture, "product"), null);
  assert.equal(await page.evaluate(() => "sameDocument" in window), true);
}

/** The checkout: nothing before the visitor agreed, then their address. */
async function typeInTheCheckout(page: Page, fixture: Fixture, origin: string): Promise<void> {
  await page.goto(`${origin}/checkout?checkout=${encodeURIComponent(CHECKOUT)}`);
  await page.waitForFunction(() => "saleorNudges" in window);
  const heard = fixture.heard.length;
  await page.waitForTimeout(500);
  assert.equal(fixture.heard.length, heard);

  await page.getByLabel("Write to me").check();
  const known = () => told(fixture, "checkout_contact_known");
  await typeAddressUntil(page, "ben@example.com", () => known().length > 0);
  assert.deepEqual(known()[0]?.data, {
    email: "ben@example.com",
    agreed: true,
  });
}

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { CHECKOUT_ID } from "./buy.ts";
import { HOSTS } from "./hosts.ts";
import { CHAIRS } from "./shop.ts";
import { go, kinds, setHidden, stored, toastOf, told, until, untilLater } from "./shopper.ts";
import { onHosts, type Scene, toast } from "./stage.ts";

const CHAIR = "/products/oak-chair";
const [OAK] = CHAIRS;

/** Nothing to be seen, so that nothing but the pages is told. */
function withoutNudges(fixture: Scene["fixture"]): void {
  fixture.nudges = [];
}

/** What was asked for, page by page. */
const asked = ({ fixture }: Scene) =>
  fixture.asked.map((asked) => [asked.get("page") ?? "OTHER", asked.get("product")]);

onHosts("each page is asked and reported once, with what it is about", async (open) => {
  const scene = await open({ prepare: withoutNudges });
  const { page, fixture } = scene;
  await until("the list asks", () => fixture.asked.length === 1);
  await go(scene, CHAIR);
  await until("the product asks", () => fixture.asked.length === 2);
  await go(scene, "/");
  await until("the list asks again", () => fixture.asked.length === 3);
  await page.waitForTimeout(300);
  assert.deepEqual(asked(scene), [
    ["LISTING", null],
    ["PRODUCT", OAK.id],
    ["LISTING", null],
  ]);
  await setHidden(page, true);
  await until("all is reported", () => told(scene).length === 3);
  assert.deepEqual(kinds(scene), ["page_viewed", `product_viewed ${OAK.id}`, "page_viewed"]);
});

onHosts(
  "a page that changes its address alone is not taken for the old product",
  async (open) => {
    const scene = await open({
      path: CHAIR,
      prepare(fixture, { shop }) {
        withoutNudges(fixture);
        shop.changesAttributes = false;
      },
    });
    const { page, fixture } = scene;
    await until("the product asks", () => fixture.asked.length === 1);
    await page.evaluate(() => history.pushState(null, "", "/elsewhere"));
    await until("the new address asks", () => fixture.asked.length === 2);
    await page.goBack();
    await until("the product asks again", () => fixture.asked.length === 3);
    await page.waitForTimeout(300);
    assert.deepEqual(asked(scene), [
      ["PRODUCT", OAK.id],
      ["OTHER", null],
      ["PRODUCT", OAK.id],
    ]);
    await setHidden(page, true);
    await until("all is reported", () => told(scene).length === 3);
    const product = `product_viewed ${OAK.id}`;
    assert.deepEqual(kinds(scene), [product, "page_viewed", product]);
  },
  [HOSTS.plain, HOSTS.react],
);

onHosts(
  "what goes into the bag is told, of the checkout only a hash; there it is silent",
  async (open) => {
    const scene = await open({ path: CHAIR });
    const { page, fixture, server } = scene;
    await toastOf(page).waitFor();
    await page.locator("#buy").click();
    await go(scene, "/");
    const hash = createHash("sha256").update(CHECKOUT_ID).digest("hex");
    await until("the hash is sent", () => fixture.asked.at(-1)?.get("checkout") === hash);
    await go(scene, "/checkout");
    await until("the checkout asks", () => fixture.asked.at(-1)?.get("page") === "CART");
    await page.waitForTimeout(600);
    assert.equal(await page.locator("saleor-nudges [part=toast]").count(), 0);

    await setHidden(page, true);
    await until("the purchase is told", () => kinds(scene).includes(`added_to_cart ${OAK.id}`));
    const added = told(scene).filter(({ kind }) => kind === "added_to_cart");
    assert.deepEqual(
      added.map(({ variant }) => variant),
      [OAK.variant],
    );
    const everything = JSON.stringify([server.heard, fixture.batches]);
    assert.equal(everything.includes(CHECKOUT_ID.slice(0, 20)), false);
  },
);

onHosts("what could not be told while offline is told when the line is back", async (open) => {
  const scene = await open({ path: CHAIR, clock: true, expectsRefusals: true });
  const { context, page } = scene;
  await untilLater("the view is told", scene, () => told(scene).length > 0);
  await context.setOffline(true);
  await page.locator("#buy").click();
  for (let second = 0; second < 20; second += 1) await page.clock.runFor(1_000);
  assert.equal(kinds(scene).includes(`added_to_cart ${OAK.id}`), false);
  await context.setOffline(false);
  await untilLater("it is told", scene, () => kinds(scene).includes(`added_to_cart ${OAK.id}`));
  assert.equal(told(scene).filter(({ kind }) => kind === "added_to_cart").length, 1);
});

onHosts("what could not be told goes first on the next page", async (open) => {
  const scene = await open({
    path: CHAIR,
    clock: true,
    expectsRefusals: true,
    prepare: (_fixture, { faults }) => void faults.push([/^v1\/events/, "RESET"]),
  });
  const { page, fixture, server } = scene;
  await until("the page asks", () => fixture.asked.length > 0);
  await page.locator("#buy").click();
  let failed = false;
  page.on("requestfailed", (request) => {
    failed ||= request.url().includes("v1/events");
  });
  await untilLater("the server is tried, in vain", scene, () => failed);
  await page.waitForTimeout(200);
  await setHidden(page, true);
  assert.ok((await stored(page)).includes("saleor-nudges-unsent"));
  assert.deepEqual(fixture.events(), []);
  server.faults.length = 0;
  await page.goto(`${server.origin}/cart`);
  await untilLater("the next page is told", scene, () => kinds(scene).includes("page_viewed"));
  const all = [`product_viewed ${OAK.id}`, `added_to_cart ${OAK.id}`, "page_viewed"];
  assert.deepEqual(
    kinds(scene).filter((kind) => all.includes(kind)),
    all,
  );
  const kept = async () => (await stored(page)).includes("saleor-nudges-unsent");
  await untilLater("nothing is kept any more", scene, async () => !(await kept()));
});

onHosts("a browser that says no is not followed", async (open) => {
  const scene = await open({
    path: CHAIR,
    init: () => Object.defineProperty(navigator, "globalPrivacyControl", { value: true }),
  });
  const { page, fixture } = scene;
  await toastOf(page).waitFor();
  await page.locator("#buy").click();
  assert.deepEqual(await stored(page), []);
  await page.keyboard.press("Escape");
  await page.locator("saleor-nudges [part=toast]").waitFor({ state: "detached" });
  // What they chose themselves is theirs to be kept.
  assert.deepEqual(await stored(page), ["saleor-nudges-closed"]);
  await go(scene, "/");
  await until("the list asks", () => fixture.asked.length === 2);
  await setHidden(page, true);
  await page.waitForTimeout(300);
  assert.deepEqual(fixture.sessions, []);
  assert.deepEqual(fixture.batches, []);
  for (const request of fixture.asked) {
    assert.deepEqual([request.get("token"), request.get("checkout")], [null, null]);
  }
});

onHosts("nothing before consent; stop() is silence, resume() the end of it", async (open) => {
  const scene = await open({
    prepare: (_fixture, { shop }) => {
      shop.attributes = { consent: "required" };
    },
  });
  const { page, fixture, server } = scene;
  const asks = () => server.heard.filter((path) => !path.startsWith("v1/widget"));
  await page.waitForFunction(() => window.saleorNudges);
  await page.waitForTimeout(300);
  assert.deepEqual([asks(), await stored(page)], [[], []]);

  await page.evaluate(() => window.saleorNudges?.resume());
  await toastOf(page).waitFor();
  fixture.nudges = [toast("n0000002")];
  await page.evaluate(() => window.saleorNudges?.stop({ forget: true }));
  await page.locator("saleor-nudges [part=toast]").waitFor({ state: "detached" });
  assert.deepEqual(await stored(page), []);
  const before = asks().length;
  await page.locator("#search").click();
  await page.evaluate(() => window.saleorNudges?.track("added_to_cart", { product: "p" }));
  await page.waitForTimeout(500);
  assert.equal(asks().length, before);

  await page.evaluate(() => window.saleorNudges?.resume());
  await toastOf(page).waitFor();
});

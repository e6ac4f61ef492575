import assert from "node:assert/strict";
import test from "node:test";
import type { Page } from "playwright-core";
import { display, excluded, type Fixture, nudge } from "./fixture-server.ts";
import { announced, listen, openShop, shifts, until } from "./shop.ts";

const PRODUCTS = ["UHJvZHVjdDox", "UHJvZHVjdDoy", "UHJvZHVjdDoz"];
const about = (id: string, product: string, text: string) =>
  nudge(id, {
    type: "PRODUCT_VIEW",
    category: "POPULARITY",
    product: { id: product, name: "A chair", slug: "chair" },
    slot: "INLINE",
    text,
  });
const place = (product: string | undefined) =>
  `<article><b>A chair</b><span data-saleor-nudges-product="${product}"></span></article>`;

/** What each place says, in the order of the page. */
const said = (page: Page) =>
  page.evaluate(() =>
    [...document.querySelectorAll("[data-saleor-nudges-product]")].map(
      ({ shadowRoot }) => shadowRoot?.querySelector("[part=text]")?.textContent ?? "",
    ),
  );

function listing(fixture: Fixture): void {
  fixture.tag = fixture.tag.replace('data-product="UHJvZHVjdDox"', 'data-page="LISTING"');
  fixture.body = `<section>${PRODUCTS.map(place).join("")}</section>`;
  fixture.css = `[data-saleor-nudges-product] { display: block; min-height: 2.8em }`;
  fixture.nudges = [
    about("n0000001", PRODUCTS[0] ?? "", "14 people looked at this in the last hour"),
    about("n0000003", PRODUCTS[2] ?? "", "9 people looked at this in the last hour"),
  ];
  fixture.pollAfter = 1;
  fixture.withdrawn = [];
}

test("a list gets its nudges with one request, each in its place, and nothing moves", async (t) => {
  const { page, fixture } = await openShop(t, listing);
  await page.locator("[part=inline]").first().waitFor();
  assert.deepEqual(await said(page), [
    "14 people looked at this in the last hour",
    "",
    "9 people looked at this in the last hour",
  ]);
  assert.equal(fixture.asked[0]?.get("products"), PRODUCTS.join(","));
  // What stands in the page is no toast as well.
  await page.waitForTimeout(600);
  assert.equal(await page.locator(".toast").count(), 0);
  assert.equal(await shifts(page), 0);
  await until("what stands is named", () =>
    fixture.asked.some((asked) => asked.get("shown") === "n0000001,n0000003"),
  );
  assert.deepEqual(excluded(fixture.asked.at(-1)), []);
});

test("nudges in the page change, go and are announced, and their places stay as large", async (t) => {
  const { page, fixture } = await openShop(t, (fixture) => {
    listing(fixture);
    // The shop has left it to us to keep the room.
    fixture.css = "";
  });
  const heard = await listen(page);
  const first = page.locator("article").first();
  await page.locator("[part=inline]").first().waitFor();
  const sizes = () =>
    page.evaluate(() => [...document.querySelectorAll("article")].map((a) => a.offsetHeight));
  const before = await sizes();
  const moved = await shifts(page);

  const [one, ...rest] = fixture.nudges;
  if (one)
    fixture.nudges = [{ ...one, text: "15 people looked at this in the last hour" }, ...rest];
  await first.getByText("15 people looked at this in the last hour").waitFor();

  fixture.nudges = rest;
  fixture.withdrawn = ["n0000001"];
  await page.locator("[part=inline]").nth(1).waitFor({ state: "detached" });
  assert.equal((await said(page))[0], "");
  assert.equal(await announced(page), "No longer true: Nudge n0000001");
  assert.deepEqual(await sizes(), before);
  assert.equal(await shifts(page), moved);
  assert.deepEqual(
    (await heard()).filter((line) => line.includes("closed")),
    ["nudges:closed n0000001 WITHDRAWN"],
  );
});

test("a place goes on saying what is true though another nudge is nearer now", async (t) => {
  const { page, fixture } = await openShop(t, listing);
  const first = page.locator("article").first();
  await first.getByText("14 people").waitFor();
  fixture.nudges = [about("n0000009", PRODUCTS[0] ?? "", "Somebody bought this")];
  const before = fixture.asked.length;
  await until("two polls", () => fixture.asked.length >= before + 2);
  assert.equal(await first.getByText("14 people").count(), 1);

  fixture.withdrawn = ["n0000001"];
  await first.getByText("Somebody bought this").waitFor();
});

test("a nudge in the page is seen once it has been on the screen for a second", async (t) => {
  const { page, fixture } = await openShop(t, (fixture) => {
    listing(fixture);
    fixture.css += "article:last-of-type { margin-top: 3000px }";
  });
  await page.locator("[part=inline]").first().waitFor();
  const seen = () =>
    fixture
      .events()
      .filter(({ kind }) => kind === "nudge_viewed")
      .map(({ nudge }) => nudge);
  await until("the first is seen", () => seen().length === 1);
  await page.waitForTimeout(2_500);
  assert.deepEqual(seen(), ["n0000001"]);
  await page.locator("article").last().scrollIntoViewIfNeeded();
  await until("the last is seen", () => seen().length === 2);
  await page.evaluate(() => scrollTo(0, 0));
  await page.waitForTimeout(3_500);
  assert.deepEqual(seen(), ["n0000001", "n0000003"]);
});

test("the element may name the products; at most fifty are asked about", async (t) => {
  const many = Array.from({ length: 60 }, (_, index) => `P${index}`);
  const { fixture } = await openShop(t, (fixture) => {
    listing(fixture);
    fixture.tag = fixture.tag.replace("async", `data-products="${many.join(", ")}" async`);
  });
  await until("nudges are asked for", () => fixture.asked.length === 1);
  assert.equal(fixture.asked[0]?.get("products"), many.slice(0, 50).join(","));
});

test("places that come later are filled by the next poll, those that go are forgotten", async (t) => {
  const { page, fixture } = await openShop(t, listing);
  await page.locator("[part=inline]").first().waitFor();
  fixture.nudges = [
    ...fixture.nudges.slice(1),
    about("n0000004", "UHJvZHVjdDo0", "3 people looked at this"),
  ];
  await page.evaluate(() => {
    document.querySelector("article")?.remove();
    const late = document.createElement("p");
    late.dataset.saleorNudgesProduct = "UHJvZHVjdDo0";
    document.querySelector("section")?.append(late);
  });
  await page.getByText("3 people looked at this").waitFor();
  await until(
    "only what is there is named",
    () => fixture.asked.at(-1)?.get("shown") === "n0000003,n0000004",
  );
});

test("a place that is hidden, as routers do with pages to come back to, waits", async (t) => {
  const { page, fixture } = await openShop(t, (fixture) => {
    listing(fixture);
    fixture.body += `<section hidden>${place("UHJvZHVjdDo0")}</section>`;
    fixture.nudges.push(about("n0000004", "UHJvZHVjdDo0", "3 people looked at this"));
  });
  const heard = await listen(page);
  await page.locator("[part=inline]").nth(1).waitFor();
  assert.equal(await page.getByText("3 people looked at this").count(), 0);

  const sections = page.locator("section");
  await sections.first().evaluate((section) => section.toggleAttribute("hidden", true));
  await sections.last().evaluate((section) => section.toggleAttribute("hidden", false));
  await page.getByText("3 people looked at this").waitFor();
  await until(
    "only what is seen is named",
    () => fixture.asked.at(-1)?.get("shown") === "n0000004",
  );
  assert.deepEqual(
    (await heard()).filter((line) => line.includes("closed")),
    ["nudges:closed n0000001 STOPPED", "nudges:closed n0000003 STOPPED"],
  );
});

test("an element that can hold no nudge is left as it is", async (t) => {
  const { page } = await openShop(t, (fixture) => {
    listing(fixture);
    fixture.expectsWarnings = true;
    fixture.body = `<ul><li data-saleor-nudges-product="${PRODUCTS[0]}">As it was</li></ul>${place(PRODUCTS[2])}`;
  });
  await page.locator("[part=inline]").waitFor();
  assert.equal(await page.locator("li").innerText(), "As it was");
});

test("a place with a shadow root of its own is left alone, with one warning", async (t) => {
  const { page, fixture } = await openShop(
    t,
    (fixture) => {
      listing(fixture);
      fixture.expectsWarnings = true;
    },
    {
      init: () =>
        addEventListener("DOMContentLoaded", () => {
          const root = document
            .querySelector("[data-saleor-nudges-product]")
            ?.attachShadow({ mode: "open" });
          root?.append("The shop's own");
        }),
    },
  );
  await page.locator("[part=inline]").waitFor();
  const before = fixture.asked.length;
  await until("two polls", () => fixture.asked.length >= before + 2);
  assert.equal(
    await page
      .locator("[data-saleor-nudges-product]")
      .first()
      .evaluate(({ shadowRoot }) => shadowRoot?.textContent),
    "The shop's own",
  );
  assert.equal(fixture.warnings.length, 1);
});

test("on a phone, words have a third line and are not cut, and nothing moves", async (t) => {
  const { page } = await openShop(
    t,
    (fixture) => {
      listing(fixture);
      fixture.css = `section { display: grid; grid-template-columns: repeat(2, 120px); font-size: 14px }
        [data-saleor-nudges-product] { display: block; min-height: 4.2em }`;
    },
    { viewport: { width: 390, height: 700 } },
  );
  const words = page.locator("[part=inline] [part=words]").first();
  await words.waitFor();
  const [lines, cut] = await words.evaluate((words) => [
    words.clientHeight / parseFloat(getComputedStyle(words).lineHeight),
    words.scrollHeight > words.clientHeight,
  ]);
  assert.deepEqual([Math.round(Number(lines)), cut], [3, false]);
  assert.equal(await shifts(page), 0);
});

test("the page can decline a nudge in a place, and stop them all", async (t) => {
  const { page } = await openShop(t, listing, {
    init: () =>
      addEventListener("nudges:shown", (event) => {
        if ((event as CustomEvent).detail.nudge.id === "n0000001") event.preventDefault();
      }),
  });
  await page.getByText("9 people looked").waitFor();
  assert.equal(await page.locator("[part=inline]").count(), 1);
  await page.evaluate(() => window.saleorNudges?.stop());
  assert.equal(await page.locator("[part=inline]").count(), 0);
});

test("a nudge in the page takes the shop's looks, its own colour and its time", async (t) => {
  const { page } = await openShop(t, (fixture) => {
    listing(fixture);
    fixture.css += `article { font: 13px Georgia; color: rgb(1, 2, 3) }
      [data-saleor-nudges-product]::part(text) { font-weight: 700 }`;
    fixture.display = display({ highlight: "#0000ff" });
    const occurredAt = new Date(Date.now() - 3_600_000).toISOString();
    fixture.nudges = fixture.nudges.map((one) => ({ ...one, highlight: "#ff0000", occurredAt }));
  });
  const inline = page.locator("[part=inline]").first();
  await inline.waitFor();
  assert.deepEqual(
    [await inline.locator("[part=text]").innerText(), await inline.locator("time").innerText()],
    ["14 people looked at this in the last hour", "1 hour ago"],
  );
  const look = await inline.evaluate((inline) => {
    const text = inline.querySelector("[part=text]") as Element;
    const { color, fontFamily, fontWeight } = getComputedStyle(text);
    const highlight = getComputedStyle(inline).getPropertyValue("--seller-highlight");
    return [color, fontFamily, fontWeight, highlight];
  });
  assert.deepEqual(look, ["rgb(1, 2, 3)", "Georgia", "700", "#ff0000"]);
});

test("the page of a product has places, too, for it and for others", async (t) => {
  const { page, fixture } = await openShop(t, (fixture) => {
    listing(fixture);
    fixture.tag = fixture.tag.replace('data-page="LISTING"', `data-product="${PRODUCTS[0]}"`);
    fixture.nudges = [...fixture.nudges, nudge("n0000005", { title: "Also bought" })];
  });
  await page.getByText("Also bought", { exact: true }).waitFor();
  assert.deepEqual((await said(page)).map(Boolean), [true, false, true]);
  assert.equal(fixture.asked[0]?.get("product"), PRODUCTS[0]);
  assert.equal(fixture.asked[0]?.get("products"), PRODUCTS.join(","));
});

test("what is on the screen as a toast does not come into the page as well", async (t) => {
  const { page, fixture } = await openShop(t, (fixture) => {
    listing(fixture);
    fixture.nudges = fixture.nudges.map((one) => ({ ...one, slot: "TOAST" }));
    fixture.display = display({ duration: 600 });
  });
  await page.locator(".toast").waitFor();
  fixture.nudges = fixture.nudges.map((one) => ({ ...one, slot: "INLINE" }));
  await page.locator("[part=inline]").waitFor();
  assert.deepEqual((await said(page)).map(Boolean), [false, false, true]);
  assert.equal(await page.locator(".toast:not(.leaving)").count(), 1);
});

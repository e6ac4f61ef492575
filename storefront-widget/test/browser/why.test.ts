import assert from "node:assert/strict";
import test from "node:test";
import type { Page } from "playwright-core";
import { display, excluded, type Fixture, nudge, WORDS } from "./fixture-server.ts";
import { announced, listen, openShop, until } from "./shop.ts";

const WHY = "Why am I seeing this?";
const popular = nudge("n0000002", {
  type: "PRODUCT_VIEW",
  title: "Ash table",
  href: "/ash-table",
  evidence: { windowSeconds: 86_400, computedAt: new Date().toISOString() },
});

/** Two kinds, and an explanation for each. */
function explained(fixture: Fixture): void {
  fixture.nudges = [nudge("n0000001"), popular];
  fixture.words = {
    ...WORDS,
    about: {
      ORDER: "A purchase in this shop.",
      PRODUCT_VIEW: "We count each visitor once, over the last {window}.",
    },
  };
}

const toast = (page: Page) => page.locator(".toast:not(.leaving)");
const kept = (page: Page, name: string) =>
  page.evaluate((name) => localStorage.getItem(`saleor-nudges-${name}`), name);
/** The part of what has the focus, in the toast or on the page. */
const focused = (page: Page) =>
  page.evaluate(() => {
    const inner = document.querySelector("saleor-nudges")?.shadowRoot?.activeElement;
    return inner?.className ?? document.activeElement?.id;
  });

async function turnOff(page: Page, name: string): Promise<void> {
  await toast(page).getByRole("button", { name: WHY }).click();
  await toast(page).getByRole("button", { name }).click();
}

test("the keyboard reaches the explanation, and Esc closes it before the toast", async (t) => {
  const { page } = await openShop(t, (fixture) => {
    explained(fixture);
    fixture.nudges = [popular];
  });
  await toast(page).waitFor();
  const panel = page.locator(".toast [part=panel]");
  assert.equal(await panel.isVisible(), false);
  const reached = [];
  for (let i = 0; i < 3; i++) {
    await page.keyboard.press("Tab");
    reached.push(await focused(page));
  }
  assert.deepEqual(reached, ["link", "close", "why"]);
  const why = toast(page).getByRole("button", { name: WHY });
  assert.equal(await why.getAttribute("aria-expanded"), "false");

  await page.keyboard.press("Enter");
  assert.equal(await why.getAttribute("aria-expanded"), "true");
  assert.match(
    await panel.locator("[part=about]").innerText(),
    /^We count each visitor once, over the last 24 hours\. Counted at \w+ \d+, \d+, \d+:\d\d\s[AP]M\.$/,
  );
  // Opening moves no focus; what it opened comes next.
  assert.equal(await focused(page), "why");
  for (const part of ["less", "off"]) {
    await page.keyboard.press("Tab");
    assert.equal(await focused(page), part);
  }

  await page.keyboard.press("Escape");
  assert.equal(await panel.isVisible(), false);
  assert.equal(await toast(page).count(), 1);
  assert.equal(await focused(page), "why");
  await page.keyboard.press("Escape");
  await page.locator(".toast").waitFor({ state: "detached" });
  assert.equal(await focused(page), "search");
  assert.deepEqual([await kept(page, "closed"), await kept(page, "off")], ["n0000002", null]);
});

test("a toast that is asked about stays", async (t) => {
  const { page } = await openShop(t, (fixture) => {
    explained(fixture);
    fixture.display = display({ duration: 0.8 });
  });
  const why = toast(page).getByRole("button", { name: WHY });
  await why.click();
  await page.mouse.move(900, 10);
  await page.evaluate(() => (document.querySelector("#search") as HTMLElement).focus());
  await page.waitForTimeout(1_500);
  assert.equal(await toast(page).locator("[part=panel]").isVisible(), true);

  await page.keyboard.press("Escape");
  await page.locator(".toast", { hasText: "Nudge n0000001" }).waitFor({ state: "detached" });
  assert.equal(await kept(page, "closed"), null);
});

test("no more of these: the kind is gone from toasts and places, on later pages, too", async (t) => {
  const { page, fixture } = await openShop(t, (fixture) => {
    explained(fixture);
    fixture.body = `<span data-saleor-nudges-product="UHJvZHVjdDox"></span>
      <p data-saleor-nudges-product="UHJvZHVjdDoy"></p>`;
    const product = { id: "UHJvZHVjdDoy", name: "Ash table", slug: "ash-table" };
    fixture.nudges.push(
      nudge("n0000003", { slot: "INLINE" }),
      nudge("n0000004", { slot: "INLINE", type: "PRODUCT_VIEW", product }),
    );
    fixture.pollAfter = 1;
    fixture.withdrawn = [];
  });
  const heard = await listen(page);
  await page.locator("[part=inline]").nth(1).waitFor();
  await toast(page).getByText("Nudge n0000001", { exact: true }).waitFor();
  await turnOff(page, "No more of these");
  assert.deepEqual([await kept(page, "off"), await kept(page, "closed")], ["ORDER", "n0000001"]);
  await toast(page).getByText("Ash table", { exact: true }).waitFor();
  assert.equal(await page.locator("[part=inline]").count(), 1);
  assert.deepEqual(
    (await heard()).filter((line) => line.includes("closed")),
    ["nudges:closed n0000003 STOPPED", "nudges:closed n0000001 USER"],
  );

  fixture.nudges.push(nudge("n0000005"), nudge("n0000006", { type: "LOW_STOCK", title: "Few" }));
  await page.keyboard.press("Escape");
  await toast(page).getByText("Few", { exact: true }).waitFor();
  await page.evaluate(() => sessionStorage.clear());
  await page.reload();
  await toast(page).getByText("Few", { exact: true }).waitFor();
  assert.equal(await page.locator("[part=inline]").count(), 1);
});

test("nothing at all is nothing at all, until the page brings it back", async (t) => {
  const { page, fixture } = await openShop(t, explained);
  await toast(page).waitFor();
  await turnOff(page, "Nothing at all");
  assert.equal(await kept(page, "off"), "ALL");
  await page.waitForTimeout(600);
  assert.equal(await page.locator(".toast").count(), 0);

  const before = fixture.asked.length;
  await page.reload();
  await until("nudges are asked for", () => fixture.asked.length > before);
  await page.waitForTimeout(600);
  assert.equal(await page.locator(".toast").count(), 0);
  // A consent tool says on every page that the visitor agreed: that is no change of mind.
  await page.evaluate(() => window.saleorNudges?.resume());
  await page.waitForTimeout(600);
  assert.equal(await page.locator(".toast").count(), 0);

  fixture.pollAfter = 1;
  await page.reload();
  await until("nudges are asked for", () => fixture.asked.length > before + 1);
  await page.evaluate(() => window.saleorNudges?.resume({ forget: true }));
  assert.equal(await kept(page, "off"), null);
  await toast(page).getByText("Ash table", { exact: true }).waitFor();
});

test("what was closed is left out of later visits, too", async (t) => {
  const { page, fixture } = await openShop(t, (fixture) => {
    fixture.nudges = [nudge("n0000001")];
  });
  await toast(page).waitFor();
  await page.keyboard.press("Escape");
  assert.equal(await kept(page, "closed"), "n0000001");
  await page.evaluate(() => sessionStorage.clear());
  await page.reload();
  await until("nudges are asked for", () => fixture.asked.length === 2);
  assert.deepEqual(excluded(fixture.asked[1]), ["n0000001"]);
});

test("what was closed in another tab meanwhile is not shown in this one", async (t) => {
  const { page, fixture } = await openShop(t, (fixture) => {
    fixture.nudges = [nudge("n0000001"), nudge("n0000002")];
    fixture.display = display({ initialDelay: 1 });
  });
  await until("nudges are asked for", () => fixture.asked.length === 1);
  await page.evaluate(() => localStorage.setItem("saleor-nudges-closed", "n0000001"));
  await toast(page).waitFor();
  assert.equal(await toast(page).locator("[part=title]").innerText(), "Nudge n0000002");
});

test("who must not be followed can say no all the same, and only that is kept", async (t) => {
  const { page, fixture } = await openShop(t, explained, {
    init: () => Object.defineProperty(navigator, "globalPrivacyControl", { value: true }),
  });
  await toast(page).waitFor();
  await turnOff(page, "No more of these");
  await toast(page).getByText("Ash table", { exact: true }).waitFor();
  await page.keyboard.press("Escape");
  const stored = () =>
    page.evaluate(() => [Object.entries({ ...localStorage }).sort(), sessionStorage.length]);
  assert.deepEqual(await stored(), [
    [
      ["saleor-nudges-closed", "n0000001,n0000002"],
      ["saleor-nudges-off", "ORDER"],
    ],
    0,
  ]);
  assert.deepEqual(fixture.batches, []);
});

test("the words are the server's, in the page's language; attributes come first", async (t) => {
  const { page, fixture } = await openShop(t, (fixture) => {
    explained(fixture);
    fixture.tag = fixture.tag.replace("async", 'data-language-code="PL" async');
    fixture.words = {
      ...WORDS,
      language: "pl",
      close: "Zamknij",
      withdrawn: "Już nieprawda",
      why: "Dlaczego to widzę?",
      about: { PRODUCT_VIEW: "Każdego liczymy raz. Okres: {window}." },
    };
    fixture.nudges = [popular];
    fixture.pollAfter = 1;
    fixture.withdrawn = [];
  });
  await toast(page).getByRole("button", { name: "Zamknij" }).waitFor();
  await toast(page).getByRole("button", { name: "Dlaczego to widzę?" }).click();
  assert.match(
    await toast(page).locator("[part=about]").innerText(),
    /^Każdego liczymy raz\. Okres: 24 godziny\. /,
  );
  assert.deepEqual(fixture.askedWords, ["PL"]);
  fixture.nudges = [];
  fixture.withdrawn = ["n0000002"];
  await page.locator(".toast").waitFor({ state: "detached" });
  assert.equal(await announced(page), "Już nieprawda: Ash table");

  fixture.nudges = [nudge("n0000007")];
  fixture.tag = fixture.tag.replace("async", 'data-close-label="Schowaj" async');
  await page.reload();
  await toast(page).getByRole("button", { name: "Schowaj" }).waitFor();
  // Of this kind the server says nothing.
  assert.equal(await toast(page).locator("[part=why]").count(), 0);
});

test("a server without words leaves a toast that can be closed", async (t) => {
  const { page, fixture } = await openShop(t, (fixture) => {
    fixture.words = null;
    fixture.expectsRefusals = true;
  });
  await toast(page).getByRole("button", { name: "Close" }).click();
  await page.locator(".toast").waitFor({ state: "detached" });
  assert.deepEqual(fixture.askedWords, [""]);
});

test("what can be pressed is large enough, more so for fingers", async (t) => {
  for (const hasTouch of [false, true]) {
    const { page } = await openShop(t, explained, {
      hasTouch,
      isMobile: hasTouch,
      reducedMotion: "reduce",
      viewport: { width: 390, height: 700 },
    });
    await toast(page).waitFor();
    await toast(page).getByRole("button", { name: WHY }).click();
    const boxes = await toast(page)
      .getByRole("button")
      .evaluateAll((buttons) =>
        buttons.map((button) => {
          const { width, height, top, bottom, left, right } = button.getBoundingClientRect();
          return { width, height, top, bottom, left, right };
        }),
      );
    assert.equal(boxes.length, 4);
    for (const { width, height } of boxes) {
      const least = hasTouch ? 30 : 28;
      assert.ok(width >= least && height >= least, `${width} x ${height}`);
    }
    for (const [index, one] of boxes.entries()) {
      for (const other of boxes.slice(index + 1)) {
        const apart =
          one.bottom <= other.top ||
          other.bottom <= one.top ||
          one.right <= other.left ||
          other.right <= one.left;
        assert.ok(apart, `${JSON.stringify(one)} lies on ${JSON.stringify(other)}`);
      }
    }
  }
});

test("an explanation is not a click on what it explains", async (t) => {
  const { page } = await openShop(t, (fixture) => {
    explained(fixture);
    fixture.nudges = [popular];
  });
  const heard = await listen(page);
  await toast(page).getByRole("button", { name: WHY }).click();
  await toast(page).locator("[part=about]").click();
  assert.equal(new URL(page.url()).pathname, "/");
  assert.deepEqual(
    (await heard()).filter((line) => line.includes("clicked")),
    [],
  );
});

import assert from "node:assert/strict";
import test from "node:test";
import { display, excluded, nudge } from "./fixture-server.ts";
import { listen, openShop, setHidden, shifts, until } from "./shop.ts";

const two = [nudge("n0000001"), nudge("n0000002")];

test("a nudge is shown whole, moves nothing and leaves the focus where it is", async (t) => {
  const { page, fixture } = await openShop(t, (fixture) => {
    const occurredAt = new Date(Date.now() - 5 * 60_000).toISOString();
    fixture.nudges = [nudge("n0000001", { image: "/chair.svg", href: "/oak-chair", occurredAt })];
  });
  const toast = page.locator("saleor-nudges .toast");
  await toast.waitFor();

  assert.equal(await toast.locator("[part=title]").innerText(), "Nudge n0000001");
  assert.equal(
    await toast.locator("[part=text]").innerText(),
    "Someone in Lisbon bought this chair.",
  );
  assert.equal(await toast.locator("[part=time]").innerText(), "5 minutes ago");
  const image = toast.locator("[part=image]");
  assert.deepEqual(
    await image.evaluate((image: HTMLImageElement) => [image.width, image.height]),
    [64, 64],
  );
  const href = await toast.locator("a").evaluate((link: HTMLAnchorElement) => link.href);
  assert.equal(href, `${fixture.origin}/oak-chair`);
  assert.equal(
    await page.locator("saleor-nudges [role=status]").innerText(),
    "Nudge n0000001. Someone in Lisbon bought this chair.",
  );
  assert.equal(await page.evaluate(() => document.activeElement?.id), "search");
  assert.equal(await toast.evaluate((toast) => toast.matches(":popover-open")), true);
  assert.equal(await shifts(page), 0);
});

test("a nudge with a link that is a script has none", async (t) => {
  const { page } = await openShop(t, (fixture) => {
    fixture.nudges = [nudge("n0000001", { href: "javascript:document.title='gone'" })];
  });
  await page.locator(".toast").waitFor();
  assert.equal(await page.locator(".toast").getByRole("link").count(), 0);
});

test("a picture that fails gives way to a drawing", async (t) => {
  const { page } = await openShop(t, (fixture) => {
    fixture.nudges = [nudge("n0000001", { image: "/no-picture-but-a-page" })];
  });
  await page.locator(".toast [part=icon] svg").waitFor();
  assert.equal(await page.locator(".toast img").count(), 0);
});

test("Esc closes it, the next one comes after the gap, and neither comes back", async (t) => {
  const { page, fixture } = await openShop(t, (fixture) => {
    fixture.nudges = two;
  });
  const heard = await listen(page);
  await page.getByText("Nudge n0000001", { exact: true }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByText("Nudge n0000002", { exact: true }).waitFor();
  assert.equal(await page.locator(".toast:not(.leaving)").count(), 1);
  await page.locator(".toast:not(.leaving)").getByRole("button", { name: "Close" }).click();
  await page.locator(".toast").waitFor({ state: "detached" });
  assert.deepEqual(
    (await heard()).filter((line) => line.startsWith("nudges:closed")),
    ["nudges:closed n0000001 USER", "nudges:closed n0000002 USER"],
  );

  await page.reload();
  await until("a second request", () => fixture.asked.length === 2);
  assert.deepEqual(excluded(fixture.asked[1]), ["n0000001", "n0000002"]);
  await page.waitForTimeout(500);
  assert.equal(await page.locator(".toast").count(), 0);
});

test("closing by keyboard gives the focus back", async (t) => {
  const { page } = await openShop(t);
  await page.locator(".toast").waitFor();
  await page.keyboard.press("Tab");
  assert.equal(
    await page.evaluate(
      () => document.querySelector("saleor-nudges")?.shadowRoot?.activeElement?.className,
    ),
    "close",
  );
  await page.keyboard.press("Enter");
  await page.locator(".toast").waitFor({ state: "detached" });
  assert.equal(await page.evaluate(() => document.activeElement?.id), "search");
});

test("a nudge leaves when its time is over, but not from under the pointer", async (t) => {
  const { page } = await openShop(
    t,
    (fixture) => {
      fixture.display = display({ duration: 1.5 });
    },
    { reducedMotion: "reduce" },
  );
  const heard = await listen(page);
  await page.locator(".toast").hover();
  await page.waitForTimeout(2000);
  assert.equal(await page.locator(".toast:not(.leaving)").count(), 1);
  await page.mouse.move(900, 10);
  await page.locator(".toast").waitFor({ state: "detached" });
  assert.ok((await heard()).includes("nudges:closed n0000001 TIMEOUT"));
});

test("nothing is shown that the page has cancelled; the next one has its turn", async (t) => {
  const { page, fixture } = await openShop(
    t,
    (fixture) => {
      fixture.nudges = two;
    },
    {
      init: () =>
        addEventListener("nudges:shown", (event) => {
          if ((event as CustomEvent).detail.nudge.id === "n0000001") event.preventDefault();
        }),
    },
  );
  await page.getByText("Nudge n0000002", { exact: true }).waitFor();
  assert.equal(await page.getByText("Nudge n0000001").count(), 0);
  await until("the second is seen", () =>
    fixture.events().some(({ nudge }) => nudge === "n0000002"),
  );
  assert.equal(
    fixture.events().some(({ nudge }) => nudge === "n0000001"),
    false,
  );
});

test("nothing is shown or asked while the tab is hidden", async (t) => {
  const { page, fixture } = await openShop(
    t,
    (fixture) => {
      fixture.nudges = two;
    },
    { init: () => Object.defineProperty(document, "hidden", { configurable: true, value: true }) },
  );
  await page.locator("saleor-nudges").waitFor({ state: "attached" });
  await page.waitForTimeout(600);
  assert.equal(fixture.asked.length, 0);

  await setHidden(page, false);
  await page.getByText("Nudge n0000001", { exact: true }).waitFor();
  await page.keyboard.press("Escape");
  await setHidden(page, true);
  await page.waitForTimeout(800);
  assert.equal(await page.locator(".toast:not(.leaving)").count(), 0);

  await setHidden(page, false);
  await page.getByText("Nudge n0000002", { exact: true }).waitFor();
});

test("a nudge that is no longer true is taken back by the next poll", async (t) => {
  const { page, fixture } = await openShop(t, (fixture) => {
    fixture.pollAfter = 1;
  });
  const heard = await listen(page);
  await page.locator(".toast").waitFor();
  const before = fixture.asked.length;
  await until("two polls", () => fixture.asked.length >= before + 2);
  assert.deepEqual(excluded(fixture.asked.at(-1)), []);
  assert.equal(await page.locator(".toast:not(.leaving)").count(), 1);

  fixture.nudges = [];
  await page.locator(".toast").waitFor({ state: "detached" });
  assert.ok((await heard()).includes("nudges:closed n0000001 WITHDRAWN"));
  // Longer than events wait for company.
  await page.waitForTimeout(2500);
  assert.equal(
    fixture.events().some(({ kind }) => kind === "nudge_closed"),
    false,
  );
});

test("the seller's limits hold, and off is off", async (t) => {
  const { page, fixture } = await openShop(
    t,
    (fixture) => {
      fixture.nudges = [...two, nudge("n0000003")];
      fixture.display = display({ duration: 0.2, maxPerPage: 1, maxPerSession: 2 });
    },
    {
      // On every page, before anything can be missed.
      init: () => {
        Object.assign(window, { shown: 0 });
        addEventListener("nudges:shown", () => (window as unknown as { shown: number }).shown++);
      },
    },
  );
  const shown = () => page.evaluate(() => (window as unknown as { shown: number }).shown);
  for (const [visit, expected] of [1, 1, 0].entries()) {
    if (visit > 0) await page.reload();
    await until("nudges are asked for", () => fixture.asked.length === visit + 1);
    await page.waitForTimeout(1_500);
    assert.equal(await shown(), expected, `visit ${visit + 1}`);
  }
  fixture.display = display({ enabled: false });
  await page.evaluate(() => sessionStorage.clear());
  await page.reload();
  await until("nudges are asked for", () => fixture.asked.length === 4);
  await page.waitForTimeout(600);
  assert.equal(await shown(), 0);
});

test("a shopper in a dialog is left alone", async (t) => {
  const { page } = await openShop(t, () => {}, {
    init: () =>
      addEventListener("DOMContentLoaded", () => {
        const dialog = document.createElement("dialog");
        document.body.append(dialog);
        dialog.showModal();
      }),
  });
  await page.waitForTimeout(800);
  assert.equal(await page.locator(".toast").count(), 0);
  await page.keyboard.press("Escape");
  await page.locator(".toast").waitFor();
});

test("a draft says that it is one, and keeps nothing of what was tried on it", async (t) => {
  const { page } = await openShop(
    t,
    (fixture) => {
      fixture.nudges = [nudge("preview")];
      fixture.display = display({ initialDelay: 0 });
    },
    { path: "/?nudges-preview=signed" },
  );
  const toast = page.locator(".toast");
  await toast.waitFor();
  assert.equal(await toast.locator("[part~=preview]").innerText(), "Preview");
  await toast.getByRole("button", { name: "Why am I seeing this?" }).click();
  await toast.getByRole("button", { name: "Nothing at all" }).click();
  await toast.waitFor({ state: "detached" });
  assert.deepEqual(await page.evaluate(() => [localStorage.length, sessionStorage.length]), [0, 0]);
});

for (const [theme, colorScheme, expected] of [
  ["LIGHT", "dark", "rgb(255, 255, 255)"],
  ["DARK", "light", "rgb(29, 29, 32)"],
  ["AUTO", "light", "rgb(255, 255, 255)"],
  ["AUTO", "dark", "rgb(29, 29, 32)"],
] as const) {
  test(`the theme ${theme} on a ${colorScheme} screen is ${expected}`, async (t) => {
    const { page } = await openShop(
      t,
      (fixture) => {
        fixture.display = display({ theme });
      },
      { colorScheme },
    );
    const toast = page.locator(".toast");
    await toast.waitFor();
    const background = await toast.evaluate((toast) => getComputedStyle(toast).backgroundColor);
    assert.equal(background, expected);
  });
}

test("a screen that turns dark turns the toast dark while it is shown", async (t) => {
  const { page } = await openShop(
    t,
    (fixture) => {
      fixture.display = display({ theme: "AUTO" });
    },
    { colorScheme: "light", reducedMotion: "reduce" },
  );
  const toast = page.locator(".toast");
  await toast.waitFor();
  const background = () => toast.evaluate((toast) => getComputedStyle(toast).backgroundColor);
  for (const [colorScheme, expected] of [
    ["light", "rgb(255, 255, 255)"],
    ["dark", "rgb(29, 29, 32)"],
    ["light", "rgb(255, 255, 255)"],
  ] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    // The screen tells the page a moment later.
    for (let i = 0; i < 100 && (await background()) !== expected; i++)
      await page.waitForTimeout(20);
    assert.equal(await background(), expected);
  }
});

for (const [dir, pictureFirst] of [
  ["ltr", true],
  ["rtl", false],
] as const) {
  test(`a page that reads ${dir} has toasts that do, in the corner that was chosen`, async (t) => {
    const { page } = await openShop(t, () => {}, { reducedMotion: "reduce" });
    await page.locator(".toast").waitFor();
    await page.evaluate((dir) => document.documentElement.setAttribute("dir", dir), dir);
    const left = async (part: string) =>
      (await page.locator(`.toast [part=${part}]`).boundingBox())?.x ?? 0;
    assert.equal((await left("icon")) < (await left("words")), pictureFirst);
    assert.equal((await left("words")) < (await left("close")), pictureFirst);
    assert.equal((await page.locator(".toast").boundingBox())?.x, 20);
  });
}

for (const [desktop, mobile, width, near] of [
  ["BOTTOM_LEFT", "TOP", 1000, { bottom: 20, left: 20 }],
  ["BOTTOM_RIGHT", "TOP", 1000, { bottom: 20, right: 20 }],
  ["BOTTOM_RIGHT", "TOP", 360, { top: 12, left: 12, right: 12 }],
  ["BOTTOM_LEFT", "BOTTOM", 360, { bottom: 12, left: 12, right: 12 }],
] as const) {
  test(`${desktop}, ${mobile} on a screen ${width} wide: ${JSON.stringify(near)}`, async (t) => {
    const { page } = await openShop(
      t,
      (fixture) => {
        fixture.display = display({ position: { desktop, mobile } });
      },
      { viewport: { width, height: 600 }, reducedMotion: "reduce" },
    );
    const toast = page.locator(".toast");
    await toast.waitFor();
    assert.equal(await toast.evaluate((toast) => getComputedStyle(toast).animationName), "none");
    const box = await toast.boundingBox();
    assert.ok(box);
    const { x: left, y: top } = box;
    const sides = { left, top, right: width - left - box.width, bottom: 600 - top - box.height };
    for (const [side, distance] of Object.entries(near)) {
      assert.equal(sides[side as keyof typeof sides], distance, side);
    }
  });
}

test("where a shop has a bar at the lower edge, a toast stands above it", async (t) => {
  const { page } = await openShop(
    t,
    (fixture) => {
      fixture.css = ":root { --saleor-nudges-offset-bottom: 90px }";
    },
    { viewport: { width: 360, height: 600 }, reducedMotion: "reduce" },
  );
  const toast = page.locator(".toast");
  await toast.waitFor();
  const box = await toast.boundingBox();
  assert.ok(box);
  assert.deepEqual([box.x, 600 - box.y - box.height], [12, 90]);
});

test("the shop's own style sheet dresses it, through properties and parts", async (t) => {
  const { page } = await openShop(t, (fixture) => {
    fixture.css = `body { font-family: Georgia; text-transform: uppercase }
      saleor-nudges { --saleor-nudges-background: rgb(1, 2, 3) }
      saleor-nudges::part(title) { color: rgb(4, 5, 6) }`;
  });
  const toast = page.locator(".toast");
  await toast.waitFor();
  const look = await toast.evaluate((toast) => {
    const { backgroundColor, fontFamily, textTransform } = getComputedStyle(toast);
    const title = toast.querySelector("[part=title]") as Element;
    return [backgroundColor, fontFamily, textTransform, getComputedStyle(title).color];
  });
  assert.deepEqual(look, ["rgb(1, 2, 3)", "Georgia", "none", "rgb(4, 5, 6)"]);
});

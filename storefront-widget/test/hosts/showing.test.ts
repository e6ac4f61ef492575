import assert from "node:assert/strict";
import { excluded } from "../browser/fixture-server.ts";
import { HOSTS } from "./hosts.ts";
import { said, shifts, toastOf, until } from "./shopper.ts";
import { display, inline, onHosts, THREE, toast } from "./stage.ts";

const looked = (count: number) => `${count} people looked at this in the last hour`;

onHosts(
  "a toast comes, moves nothing and leaves the focus alone",
  async (open) => {
    const { page, size } = await open({ path: "/products/oak-chair" });
    await page.locator("#search").focus();
    const shown = toastOf(page);
    await shown.waitFor();

    const text = await shown.locator("[part=text]").innerText();
    assert.equal(text, "Someone in Lisbon bought this chair.");
    const spoken = await page.locator("saleor-nudges [role=status]").innerText();
    assert.equal(spoken.trim(), "Oak chair. Someone in Lisbon bought this chair.");
    await shown.evaluate((toast) =>
      Promise.all(toast.getAnimations().map(({ finished }) => finished)),
    );
    const box = await shown.boundingBox();
    const { width, height } = page.viewportSize() ?? { width: 0, height: 0 };
    assert.ok(box && box.x >= 0 && box.x + box.width <= width && box.y + box.height <= height);
    // As it is when it has arrived.
    const wide = await shown.evaluate((toast: HTMLElement) => toast.offsetWidth);
    assert.equal(wide, size === "phone" ? 366 : 368);
    assert.equal(await page.evaluate(() => document.activeElement?.id), "search");
    assert.equal(await shifts(page), 0);
  },
  [...THREE, HOSTS.own],
);

onHosts("toast and places follow the server, to what is no longer true", async (open) => {
  const { page, fixture } = await open({
    prepare(fixture) {
      fixture.nudges = [
        toast(),
        inline("i0000001", 0, looked(14)),
        inline("i0000003", 2, looked(9)),
      ];
      fixture.pollAfter = 1;
      fixture.withdrawn = [];
    },
  });
  await toastOf(page).waitFor();
  assert.deepEqual(await said(page), [looked(14), "", looked(9)]);
  assert.equal(fixture.asked[0]?.get("products"), "UHJvZHVjdDox,UHJvZHVjdDoy,UHJvZHVjdDoz");

  fixture.nudges = [inline("i0000001", 0, looked(15))];
  fixture.withdrawn = ["n0000001", "i0000003"];
  await page.locator("[part=inline]").nth(1).waitFor({ state: "detached" });
  await page.locator("saleor-nudges [part=toast]").waitFor({ state: "detached" });
  assert.deepEqual(await said(page), [looked(15), "", ""]);
  const spoken = await page.locator("saleor-nudges [role=status]").innerText();
  assert.match(spoken, /No longer true.*Oak chair/);
  assert.equal(await shifts(page), 0);
});

onHosts("Esc closes it, the button closes the next, and neither ever comes back", async (open) => {
  const { page, fixture, size } = await open({
    prepare(fixture) {
      fixture.nudges = [toast("n0000001"), toast("n0000002", { title: "Beech stool" })];
    },
  });
  await page.locator("#search").focus();
  await toastOf(page).filter({ hasText: "Oak chair" }).waitFor();
  await page.keyboard.press("Escape");
  const second = toastOf(page).filter({ hasText: "Beech stool" });
  await second.waitFor();
  assert.equal(await page.evaluate(() => document.activeElement?.id), "search");
  const close = second.getByRole("button", { name: "Close", exact: true });
  await (size === "phone" ? close.tap() : close.click());
  await page.locator("saleor-nudges [part=toast]").waitFor({ state: "detached" });

  // Another day: what lasts as long as a tab is gone.
  await page.evaluate(() => sessionStorage.clear());
  const before = fixture.asked.length;
  await page.reload();
  await until("the page asks again", () => fixture.asked.length > before);
  assert.deepEqual(excluded(fixture.asked.at(-1)), ["n0000001", "n0000002"]);
});

onHosts(
  "keeps still for those who ask for it, and dark when their screen turns dark",
  async (open) => {
    const { page } = await open({
      reducedMotion: "reduce",
      colorScheme: "light",
      prepare(fixture) {
        fixture.display = display({ theme: "AUTO" });
      },
    });
    const shown = toastOf(page);
    await shown.waitFor();
    const animations = await shown.evaluate(
      (toast) => toast.getAnimations({ subtree: true }).length,
    );
    assert.equal(animations, 0);
    const style = (name: "backgroundColor" | "transitionDuration") =>
      shown.evaluate((toast, name) => getComputedStyle(toast)[name], name);
    assert.equal(await style("transitionDuration"), "0s");
    assert.equal(await style("backgroundColor"), "rgb(255, 255, 255)");
    await page.emulateMedia({ colorScheme: "dark" });
    await page.waitForTimeout(100);
    assert.equal(await style("backgroundColor"), "rgb(29, 29, 32)");
  },
);

import assert from "node:assert/strict";
import { WORDS } from "../browser/fixture-server.ts";
import { press, stored, toastOf } from "./shopper.ts";
import { onHosts, type Setting, toast } from "./stage.ts";

const WHY = "Why am I seeing this?";
const asked: Setting = {
  clock: true,
  prepare(fixture) {
    const about = {
      ...WORDS.about,
      PRODUCT_VIEW: "We count each visitor once, over the last {window}.",
    };
    fixture.words = { ...WORDS, about };
    fixture.nudges = [
      toast("n0000001", {
        type: "PRODUCT_VIEW",
        evidence: { windowSeconds: 86_400 },
      }),
      toast("n0000002", { title: "Beech stool" }),
    ];
  },
};

onHosts("“why am I seeing this?” is answered for as long as it is read", async (open) => {
  const scene = await open(asked);
  const { page } = scene;
  await toastOf(page).waitFor();
  await press(scene, WHY);
  const panel = toastOf(page).locator("[part=panel]");
  await panel.waitFor();
  assert.equal(
    await panel.locator("[part=about]").innerText(),
    "We count each visitor once, over the last 24 hours.",
  );
  // Longer than a toast stays, with neither pointer nor focus on it.
  await (scene.size === "phone" ? page.locator("#search").tap() : page.mouse.move(600, 5));
  await page.locator("#search").focus();
  await page.clock.fastForward(120_000);
  assert.equal(await panel.isVisible(), true);
  const button = await panel.getByRole("button", { name: "No more of these" }).boundingBox();
  assert.ok(button && button.height >= 24 && button.width >= 24);

  await page.keyboard.press("Escape");
  await panel.waitFor({ state: "hidden" });
  assert.equal(await toastOf(page).filter({ hasText: "Oak chair" }).count(), 1);
  await page.keyboard.press("Escape");
  await toastOf(page).filter({ hasText: "Beech stool" }).waitFor();
});

onHosts("“no more of these” lasts, until the page brings them back", async (open) => {
  const scene = await open(asked);
  const { page, fixture } = scene;
  await toastOf(page).filter({ hasText: "Oak chair" }).waitFor();
  await press(scene, WHY);
  await press(scene, "No more of these");
  await toastOf(page).filter({ hasText: "Beech stool" }).waitFor();
  assert.ok((await stored(page)).includes("saleor-nudges-off"));

  // The same kind, never shown before.
  fixture.nudges = [
    toast("n0000003", { type: "PRODUCT_VIEW" }),
    toast("n0000004", { title: "Ash bench" }),
  ];
  await page.reload();
  await toastOf(page).filter({ hasText: "Ash bench" }).waitFor();
  assert.equal(
    await page.getByText("Oak chair", { exact: true }).locator("visible=true").count(),
    1,
  );

  fixture.nudges = [toast("n0000005", { type: "PRODUCT_VIEW", title: "Back again" })];
  await page.evaluate(() => window.saleorNudges?.resume({ forget: true }));
  await page.reload();
  await toastOf(page).filter({ hasText: "Back again" }).waitFor();
});

onHosts("“nothing at all” is nothing at all", async (open) => {
  const scene = await open(asked);
  const { page, fixture } = scene;
  await toastOf(page).waitFor();
  await press(scene, WHY);
  await press(scene, "Nothing at all");
  await page.locator("saleor-nudges [part=toast]").waitFor({ state: "detached" });
  fixture.nudges = [toast("n0000003"), toast("n0000004", { type: "PRODUCT_VIEW" })];
  await page.reload();
  await page.clock.runFor(10_000);
  await page.waitForTimeout(300);
  assert.equal(await page.locator("saleor-nudges [part=toast]").count(), 0);
});

import assert from "node:assert/strict";
import { HOSTS } from "./hosts.ts";
import { setHidden, told, until, untilLater } from "./shopper.ts";
import { display, onHosts, type Scene, type Setting } from "./stage.ts";

const ADDRESS = "ada@shop.example";
const CHECKOUT: Setting = {
  path: "/checkout",
  clock: true,
  init: () => {
    // biome-ignore lint/suspicious/noDocumentCookie: as shops set it.
    document.cookie = "checkoutId-default-channel=Q2hlY2tvdXQ6MQ%3D%3D; path=/";
  },
};

/** Types an address in full, then leaves the page as one does with a mouse, or with a phone. */
async function typeAndLeave(scene: Scene): Promise<void> {
  const { page, size } = scene;
  // Nobody has typed an address before the second turn of the heartbeat.
  await untilLater("the view is told", scene, () => told(scene).length > 0);
  await page.waitForTimeout(200);
  const email = page.locator("input[type=email]");
  for (const typed of ["ada@", ADDRESS, ADDRESS]) {
    await email.fill(typed);
    await email.blur();
  }
  if (size === "desktop") {
    for (let i = 0; i < 2; i++) {
      await page.mouse.move(600, 20);
      await page.mouse.move(600, -1);
    }
  }
  await setHidden(page, true);
}

onHosts("in the checkout leaving is told once, and the address of who agreed", async (open) => {
  const scene = await open({
    ...CHECKOUT,
    prepare(fixture, { shop }) {
      shop.attributes = { consent: "given" };
      fixture.display = { ...display(), capturesContact: true };
    },
  });
  const { fixture } = scene;
  await until("the page asks", () => fixture.asked.length > 0);
  await typeAndLeave(scene);
  await until("all is told", () => told(scene).length >= 3);
  await scene.page.waitForTimeout(200);
  const all = told(scene).map(({ kind, data }) => [kind, data?.email ?? null]);
  assert.deepEqual(all.sort(), [
    ["checkout_contact_known", ADDRESS],
    ["exit_intent", null],
    ["page_viewed", null],
  ]);
});

onHosts(
  "without their word no address is told",
  async (open) => {
    const scene = await open({
      ...CHECKOUT,
      prepare(fixture) {
        fixture.display = { ...display(), capturesContact: true };
      },
    });
    const { fixture } = scene;
    await until("the page asks", () => fixture.asked.length > 0);
    await typeAndLeave(scene);
    await until("leaving is told", () => told(scene).length >= 2);
    await scene.page.waitForTimeout(200);
    const all = told(scene).map(({ kind }) => kind);
    assert.deepEqual(all.sort(), ["exit_intent", "page_viewed"]);
    assert.equal(JSON.stringify(fixture.batches).includes("ada@"), false);
  },
  [HOSTS.plain],
);

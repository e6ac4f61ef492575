import assert from "node:assert/strict";
import { setHidden, stored, toastOf, until } from "./shopper.ts";
import { onHosts, toast } from "./stage.ts";

const draft = toast("draft", { title: "A draft" });

onHosts("a draft is shown to whoever has its link, and counts nothing", async (open) => {
  const { page, fixture, server } = await open({
    path: "/products/oak-chair?nudges-preview=signed",
    prepare: (_fixture, server) => void server.drafts.set("signed", draft),
  });
  const shown = toastOf(page);
  await shown.waitFor();
  assert.match(await shown.innerText(), /^Preview\s+A draft/);
  await page.keyboard.press("Escape");
  await page.locator("saleor-nudges [part=toast]").waitFor({ state: "detached" });
  await page.locator("#buy").click();
  await setHidden(page, true);
  await page.waitForTimeout(300);
  assert.deepEqual([fixture.sessions, fixture.batches, fixture.asked], [[], [], []]);
  assert.deepEqual(await stored(page), []);
  const requests = server.heard.filter((path) => path.startsWith("v1/nudges"));
  assert.equal(requests.length, 1);
});

onHosts("a link that is no longer good shows nothing, and nothing else either", async (open) => {
  const { page, fixture, server } = await open({
    path: "/products/oak-chair?nudges-preview=old",
    expectsRefusals: true,
  });
  await until("the draft is asked for", () =>
    server.heard.some((path) => path.includes("preview=old")),
  );
  await page.waitForTimeout(600);
  assert.equal(await page.locator("saleor-nudges [part=toast]").count(), 0);
  assert.deepEqual([fixture.sessions, fixture.batches, fixture.asked], [[], [], []]);
  assert.equal(server.heard.filter((path) => path.startsWith("v1/nudges")).length, 1);
});

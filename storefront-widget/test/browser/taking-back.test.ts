import assert from "node:assert/strict";
import test from "node:test";
import { display, excluded, type Fixture, nudge } from "./fixture-server.ts";
import { announced, listen, openShop, setHidden, shifts, until } from "./shop.ts";

const oak = nudge("n0000001", { title: "Oak chair" });
const place = `<span data-saleor-nudges-product="UHJvZHVjdDox"></span>`;

function polled(fixture: Fixture): void {
  fixture.nudges = [oak];
  fixture.display = display({ duration: 600 });
  fixture.pollAfter = 1;
  fixture.withdrawn = [];
}

test("the poll names what is shown, and what the server withdraws goes", async (t) => {
  const { page, fixture } = await openShop(t, polled);
  const heard = await listen(page);
  await page.locator(".toast").waitFor();
  await until("the toast is named", () => fixture.asked.at(-1)?.get("shown") === "n0000001");
  assert.deepEqual(excluded(fixture.asked.at(-1)), []);
  assert.equal(await announced(page), "Oak chair. Someone in Lisbon bought this chair.");

  fixture.withdrawn = ["n0000001"];
  fixture.nudges = [];
  await page.locator(".toast").waitFor({ state: "detached", timeout: 4_000 });
  assert.ok((await heard()).includes("nudges:closed n0000001 WITHDRAWN"));
  assert.equal(await announced(page), "No longer true: Oak chair");
  assert.equal(await shifts(page), 0);
  await until("nothing is named any more", () => fixture.asked.at(-1)?.get("shown") === null);
});

test("a toast stays that was only not repeated by a server that can tell", async (t) => {
  const { page, fixture } = await openShop(t, polled);
  await page.locator(".toast").waitFor();
  fixture.nudges = [nudge("n0000002")];
  const before = fixture.asked.length;
  await until("two polls", () => fixture.asked.length >= before + 2);
  assert.equal(await page.locator(".toast:not(.leaving)").count(), 1);
  assert.equal(await page.locator(".toast [part=title]").innerText(), "Oak chair");
});

test("what waits its turn is forgotten when the server tells it no more", async (t) => {
  const { page, fixture } = await openShop(t, (fixture) => {
    polled(fixture);
    fixture.nudges = [oak, nudge("n0000002")];
    fixture.display = display({ duration: 600, gap: 0.5 });
  });
  await page.locator(".toast").waitFor();
  fixture.nudges = [oak];
  const before = fixture.asked.length;
  await until("two polls", () => fixture.asked.length >= before + 2);
  await page.keyboard.press("Escape");
  await page.waitForTimeout(1_500);
  assert.equal(await page.locator(".toast").count(), 0);
});

test("a number that changes changes where it stands, without being read out again", async (t) => {
  const live = (count: number) =>
    nudge("n0000001", {
      type: "LIVE_VISITORS",
      category: "POPULARITY",
      title: "Oak chair",
      tag: `${count} here`,
      text: `${count} people look at this right now`,
      href: "/oak-chair",
    });
  const { page, fixture } = await openShop(t, (fixture) => {
    polled(fixture);
    fixture.nudges = [live(12)];
  });
  const heard = await listen(page);
  const toast = page.locator(".toast");
  await toast.getByText("12 people look at this right now").waitFor();
  await page.locator(".toast a").focus();
  fixture.nudges = [live(13)];
  await toast.getByText("13 people look at this right now").waitFor();
  assert.equal(await toast.locator("[part=tag]").innerText(), "13 here");
  assert.equal(await toast.count(), 1);
  assert.equal(await announced(page), "Oak chair. 12 people look at this right now");
  assert.equal(
    await page.evaluate(
      () => document.querySelector("saleor-nudges")?.shadowRoot?.activeElement?.className,
    ),
    "link",
  );
  assert.deepEqual(
    (await heard()).filter((line) => line.includes("closed")),
    [],
  );
});

test("“5 minutes ago” goes on while it is shown, and only if the seller wants it", async (t) => {
  const occurredAt = new Date(Date.now() - 5 * 60_000).toISOString();
  const { page, fixture } = await openShop(
    t,
    (fixture) => {
      fixture.nudges = [nudge("n0000001", { occurredAt })];
      fixture.display = display({ duration: 86_400 });
    },
    { clock: true },
  );
  const time = page.locator(".toast [part=time]");
  await time.waitFor();
  assert.equal(await time.innerText(), "5 minutes ago");
  await page.clock.fastForward(2 * 60_000);
  await page.getByText("7 minutes ago").waitFor();

  fixture.nudges = [nudge("n0000002", { occurredAt, showTime: false })];
  await page.reload();
  await page.getByText("Nudge n0000002", { exact: true }).waitFor();
  assert.equal(await time.isVisible(), false);
  assert.equal(await time.innerText(), "");
});

test("what nobody confirms for 30 seconds is not shown any more", async (t) => {
  const { page, fixture } = await openShop(
    t,
    (fixture) => {
      polled(fixture);
      fixture.body = place;
      fixture.nudges = [oak, nudge("n0000002", { slot: "INLINE" })];
      fixture.display = display({ duration: 86_400 });
      fixture.expectsRefusals = true;
    },
    { clock: true },
  );
  const heard = await listen(page);
  await page.locator(".toast").waitFor();
  await page.locator("[part=inline]").waitFor();
  fixture.away = true;
  await page.clock.runFor(1_500);
  await until("a poll fails", () => fixture.heard.length > fixture.asked.length);
  await page.clock.runFor(25_000);
  assert.equal(await page.locator(".toast:not(.leaving)").count(), 1);
  assert.equal(await page.locator("[part=inline]").count(), 1);

  await page.clock.runFor(6_000);
  await page.locator(".toast").waitFor({ state: "detached" });
  assert.equal(await page.locator("[part=inline]").count(), 0);
  assert.deepEqual((await heard()).filter((line) => line.includes("closed")).sort(), [
    "nudges:closed n0000001 WITHDRAWN",
    "nudges:closed n0000002 WITHDRAWN",
  ]);
});

test("one poll that fails takes nothing away", async (t) => {
  const { page, fixture } = await openShop(
    t,
    (fixture) => {
      polled(fixture);
      fixture.expectsRefusals = true;
      fixture.display = display({ duration: 86_400 });
    },
    { clock: true },
  );
  await page.locator(".toast").waitFor();
  fixture.away = true;
  const before = fixture.asked.length;
  await until("a poll fails", () => fixture.asked.length > before);
  fixture.away = false;
  const answered = page.waitForResponse((answer) => answer.ok() && /v1.nudges/.test(answer.url()));
  await page.clock.runFor(11_000);
  await (await answered).finished();
  // The page's clock is put forward only when the page, too, has read the answer.
  await new Promise((resolve) => setTimeout(resolve, 300));
  await page.clock.runFor(29_000);
  assert.equal(await page.locator(".toast:not(.leaving)").count(), 1);
});

test("who comes back to the tab is asked for at once, and sees only what still stands", async (t) => {
  const { page, fixture } = await openShop(
    t,
    (fixture) => {
      polled(fixture);
      fixture.pollAfter = 5;
      fixture.display = display({ duration: 86_400 });
    },
    { clock: true },
  );
  await page.locator(".toast").waitFor();
  await setHidden(page, true);
  const before = fixture.asked.length;
  await page.clock.runFor(10 * 60_000);
  assert.equal(fixture.asked.length, before);
  fixture.withdrawn = ["n0000001"];
  await setHidden(page, false);
  await page.locator(".toast").waitFor({ state: "detached", timeout: 1_000 });
  assert.equal(fixture.asked.length, before + 1);
});

test("the poll is a heartbeat: every pollAfter seconds, only while somebody looks", async (t) => {
  const { page, fixture } = await openShop(t, (fixture) => {
    polled(fixture);
    fixture.nudges = [];
    fixture.pollAfter = 1.5;
  });
  await until("four polls", () => fixture.asked.length === 4, 8_000);
  const gaps = fixture.askedAt.slice(1).map((at, index) => at - (fixture.askedAt[index] ?? 0));
  for (const gap of gaps) assert.ok(gap > 1_200 && gap < 2_500, `a gap of ${gap} ms`);

  await setHidden(page, true);
  await page.waitForTimeout(3_500);
  assert.equal(fixture.asked.length, 4);
  // To and fro between tabs is not worth a request each time.
  await setHidden(page, false);
  await until("the next", () => fixture.asked.length === 5, 500);
  await setHidden(page, true);
  await setHidden(page, false);
  await page.waitForTimeout(300);
  assert.equal(fixture.asked.length, 5);
});

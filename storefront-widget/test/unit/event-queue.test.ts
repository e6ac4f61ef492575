import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { createEventQueue } from "../../src/event-queue.ts";
import type { ShopperEvent } from "../../src/types.ts";

function event(id: number): ShopperEvent {
  return { id: String(id), kind: "page_viewed", at: "", channel: "c" };
}

function setUp({ mock }: TestContext, answers: (number | null)[] = []) {
  mock.timers.enable({ apis: ["setTimeout"] });
  const sent: string[][] = [];
  const beaconed: string[][] = [];
  const ids = (events: ShopperEvent[]) => events.map((event) => event.id);
  const queue = createEventQueue({
    async send(events) {
      sent.push(ids(events));
      return answers.shift() ?? null;
    },
    beacon: (events) => void beaconed.push(ids(events)),
  });
  const pass = async (ms: number) => {
    mock.timers.tick(ms);
    for (let i = 0; i < 10; i++) await Promise.resolve();
  };
  return { queue, sent, beaconed, pass };
}

test("events wait for two seconds of quiet and go together", async (t) => {
  const { queue, sent, pass } = setUp(t);
  queue.add(event(1));
  await pass(1500);
  queue.add(event(2));
  await pass(1999);
  assert.deepEqual(sent, []);
  await pass(1);
  assert.deepEqual(sent, [["1", "2"]]);
});

test("twenty events go at once, the rest after", async (t) => {
  const { queue, sent, pass } = setUp(t);
  for (let i = 0; i < 25; i++) queue.add(event(i));
  await pass(0);
  assert.equal(sent[0]?.length, 20);
  await pass(2000);
  assert.deepEqual(sent[1], ["20", "21", "22", "23", "24"]);
});

test("a refused batch is sent once more when the server said, then dropped", async (t) => {
  const { queue, sent, pass } = setUp(t, [7, 7]);
  queue.add(event(1));
  await pass(2000);
  queue.add(event(2));
  await pass(6999);
  assert.deepEqual(sent, [["1"]]);
  await pass(1);
  assert.deepEqual(sent, [["1"], ["1"]]);
  await pass(2000);
  assert.deepEqual(sent, [["1"], ["1"], ["2"]]);
  await pass(60_000);
  assert.equal(sent.length, 3);
});

test("a page that goes away hands everything to the browser, once", async (t) => {
  const { queue, sent, beaconed, pass } = setUp(t, [7]);
  queue.add(event(1));
  await pass(2000);
  for (let i = 2; i < 24; i++) queue.add(event(i));
  queue.leave();
  queue.leave();
  await pass(60_000);
  assert.deepEqual(sent, [["1"]]);
  assert.deepEqual(
    beaconed.map((batch) => batch.length),
    [20, 3],
  );
  assert.equal(beaconed[0]?.[0], "1");
});

test("a server that is away does not fill the page's memory", (t) => {
  const { queue, beaconed } = setUp(t);
  for (let i = 0; i < 500; i++) queue.add(event(i));
  queue.leave();
  assert.equal(beaconed.flat().length, 200);
});

test("what was dropped never leaves, nor does what comes after, nor what was refused", async (t) => {
  const { queue, sent, beaconed, pass } = setUp(t, [7]);
  queue.add(event(1));
  await pass(2000);
  queue.add(event(2));
  queue.drop();
  queue.add(event(3));
  queue.leave();
  await pass(60_000);
  assert.deepEqual([sent, beaconed], [[["1"]], []]);
});

test("a refusal that arrives after the end begins nothing", async (t) => {
  const { queue, sent, pass } = setUp(t, [7]);
  queue.add(event(1));
  t.mock.timers.tick(2000);
  queue.drop();
  await pass(60_000);
  assert.deepEqual(sent, [["1"]]);
});

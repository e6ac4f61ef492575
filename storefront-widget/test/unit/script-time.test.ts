import assert from "node:assert/strict";
import test from "node:test";
import { type TraceEvent, timeOf } from "../vitals/script-time.ts";

const OURS = "/v1/widget";
const url = `https://shop.example${OURS}.js`;
const event = (name: string, ts: number, dur: number, more: Partial<TraceEvent> = {}) => ({
  name,
  pid: 1,
  tid: 1,
  ts,
  dur,
  ...more,
});

test("what runs, is read or was awaited counts, in the thread's own time", () => {
  const events = [
    event("EvaluateScript", 0, 9_000, { tdur: 4_000, args: { data: { url } } }),
    event("v8.compileModule", 10_000, 500, { args: { fileName: `${url}` } }),
    event("RunMicrotasks", 20_000, 1_000),
    event("FunctionCall", 30_000, 250, { args: { data: { url } } }),
  ];
  assert.equal(timeOf(events, OURS), 5.75);
});

test("what lies within something counted counts once, on each thread", () => {
  const args = { data: { url } };
  const events = [
    event("FunctionCall", 2_000, 1_000, { args }),
    event("EvaluateScript", 0, 5_000, { args }),
    event("v8.compile", 0, 1_000, { args }),
    event("FunctionCall", 2_000, 1_000, { args, tid: 2 }),
  ];
  assert.equal(timeOf(events, OURS), 6);
});

test("the page's own scripts and the browser's own work do not count", () => {
  const events = [
    event("EvaluateScript", 0, 5_000, { args: { data: { url: "https://shop.example/app.js" } } }),
    event("Layout", 6_000, 5_000),
    event("FunctionCall", 12_000, 5_000),
  ];
  assert.equal(timeOf(events, OURS), 0);
});

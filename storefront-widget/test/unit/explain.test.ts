import assert from "node:assert/strict";
import test from "node:test";
import { explain } from "../../src/explain.ts";
import { spanOfTime } from "../../src/span-of-time.ts";
import type { Nudge, Wording } from "../../src/types.ts";

/** Newer browsers put a narrow space before "PM". */
const plain = (text: string) => text.replace(/\s/g, " ");
const wording = { language: "en", counted: "Counted at {time}." } as Wording;
const ABOUT = "We count each visitor once, over the last {window}.";

test("a span of time is said in the largest unit of which it has two", () => {
  for (const [seconds, said] of [
    [90, "90 seconds"],
    [300, "5 minutes"],
    [3_600, "60 minutes"],
    [7_200, "2 hours"],
    [86_400, "24 hours"],
    [7 * 86_400, "7 days"],
  ] as const) {
    assert.equal(spanOfTime(seconds, "en"), said);
  }
  assert.equal(spanOfTime(86_400, "de"), "24 Stunden");
});

test("a number is explained with its span of time and when it was counted", () => {
  const computedAt = new Date(2026, 2, 1, 14, 5).toISOString();
  const nudge = { occurredAt: null, evidence: { windowSeconds: 86_400, computedAt } } as Nudge;
  assert.equal(
    plain(explain(ABOUT, nudge, wording)),
    "We count each visitor once, over the last 24 hours. Counted at Mar 1, 2026, 2:05 PM.",
  );
  const german = { language: "DE", counted: "Gezählt: {time}" } as Wording;
  assert.equal(
    explain("Zeitraum: {window}.", nudge, german),
    "Zeitraum: 24 Stunden. Gezählt: 01.03.2026, 14:05",
  );
});

test("what somebody did has a moment of its own, and nothing needs evidence to be explained", () => {
  const did = {
    occurredAt: "2026-03-01T12:00:00Z",
    evidence: { computedAt: "2026-03-01T12:00:01Z" },
  };
  assert.equal(explain("It happened here.", did as Nudge, wording), "It happened here.");
  const bare = { occurredAt: null, evidence: null } as Nudge;
  assert.equal(explain("It happened here.", bare, wording), "It happened here.");
});

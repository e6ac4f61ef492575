import assert from "node:assert/strict";
import test from "node:test";
import { locale } from "../../src/locale.ts";
import { relativeTime } from "../../src/relative-time.ts";
import { createTimer } from "../../src/timer.ts";

const NOW = Date.parse("2026-03-01T12:00:00Z");
const ago = (seconds: number, language = "en") =>
  relativeTime(new Date(NOW - seconds * 1000).toISOString(), NOW, language);

test("relative time counts whole units, in the page's language", () => {
  assert.equal(ago(59), "now");
  assert.equal(ago(60), "1 minute ago");
  assert.equal(ago(5 * 60 + 59), "5 minutes ago");
  assert.equal(ago(3600), "1 hour ago");
  assert.equal(ago(86_399), "23 hours ago");
  assert.equal(ago(86_400), "yesterday");
  assert.equal(ago(3 * 86_400), "3 days ago");
  assert.equal(ago(300, "de"), "vor 5 Minuten");
});

test("a clock that runs behind the server's never speaks of the future", () => {
  assert.equal(ago(-300), "now");
});

test("Saleor's language codes are Intl's locales, or the browser's own", () => {
  assert.equal(locale("PT_BR"), "pt-BR");
  assert.equal(locale("EN"), "en");
  assert.equal(locale("ZH_HANT_TW"), "zh-Hant-TW");
  assert.equal(locale(undefined), undefined);
  assert.equal(locale("not a language"), undefined);
});

test("a timer stands still while it is paused", ({ mock }) => {
  mock.timers.enable({ apis: ["setTimeout"] });
  let clock = 0;
  mock.method(performance, "now", () => clock);
  const pass = (ms: number) => {
    clock += ms;
    mock.timers.tick(ms);
  };
  let paused = false;
  let fired = 0;
  const timer = createTimer(
    1000,
    () => void fired++,
    () => paused,
  );

  pass(600);
  paused = true;
  timer.update();
  pass(10_000);
  assert.equal(fired, 0);

  paused = false;
  timer.update();
  timer.update();
  pass(399);
  assert.equal(fired, 0);
  pass(1);
  assert.equal(fired, 1);
  timer.update();
  pass(10_000);
  assert.equal(fired, 1);
});

test("a cancelled timer never fires", ({ mock }) => {
  mock.timers.enable({ apis: ["setTimeout"] });
  let fired = 0;
  const timer = createTimer(
    10,
    () => void fired++,
    () => false,
  );
  timer.cancel();
  timer.update();
  mock.timers.tick(100);
  assert.equal(fired, 0);
});

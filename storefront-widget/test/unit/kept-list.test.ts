import assert from "node:assert/strict";
import test from "node:test";
import { keptList } from "../../src/kept-list.ts";

/** As much of the browser's own as a list needs. */
function storage(): Storage & { kept: Map<string, string> } {
  const kept = new Map<string, string>();
  return {
    kept,
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
  } as unknown as Storage & { kept: Map<string, string> };
}

test("the newest names are kept, each once", () => {
  const browser = storage();
  const list = keptList("shown", () => browser);
  assert.equal(list.size(), 0);
  for (let i = 0; i < 105; i++) list.add(`n${i}`);
  list.add("n50");
  assert.equal(list.size(), 100);
  assert.deepEqual([list.has("n4"), list.has("n5"), list.has("n1")], [false, true, false]);
  assert.equal(browser.kept.get("shown")?.split(",").at(-1), "n50");
});

test("what another tab adds or takes away counts at once", () => {
  const browser = storage();
  const list = keptList("off", () => browser);
  list.add("ORDER");
  keptList("off", () => browser).add("LOW_STOCK");
  assert.equal(list.has("LOW_STOCK"), true);
  browser.kept.clear();
  assert.deepEqual([list.has("ORDER"), list.size()], [false, 0]);
});

test("where nothing may be kept, the list ends with the page", () => {
  const list = keptList("shown", () => null);
  list.add("a");
  assert.equal(list.has("a"), true);
  assert.equal(keptList("shown", () => null).has("a"), false);
});

test("storage that is full or out of reach is memory instead", () => {
  const full = {
    getItem: () => null,
    setItem() {
      throw new Error("QuotaExceededError");
    },
  } as unknown as Storage;
  const away = () => {
    throw new Error("SecurityError");
  };
  for (const open of [() => full, away]) {
    const list = keptList("shown", open);
    list.add("a");
    list.add("b");
    assert.deepEqual([list.has("a"), list.has("b"), list.size()], [true, true, 2]);
  }
});

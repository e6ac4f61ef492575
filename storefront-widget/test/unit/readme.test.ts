import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import test from "node:test";
import { ATTRIBUTES } from "../../src/options.ts";

const read = (path: string) => readFileSync(path, "utf8");
/** What stands first, in code, in the rows of the table below a heading. */
const listed = (heading: string) => {
  const section = read("README.md").split(`\n## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";
  return [...section.matchAll(/^\| `([^`]+)`/gm)].map(([, name]) => name).sort();
};
const found = (path: string, pattern: RegExp) =>
  [...new Set([...read(path).matchAll(pattern)].map(([, name]) => name))].sort();

test("the README lists every option, custom property and part", () => {
  assert.deepEqual(listed("Options"), [...ATTRIBUTES].sort());
  assert.deepEqual(listed("Custom properties"), found("src/nudge.css", /var\((--saleor-[\w-]+)/g));
  const drawn = ["toast", "words", "inline"].flatMap((name) =>
    found(`src/${name}.ts`, /element\("\w+", "(\w+)"/g),
  );
  assert.deepEqual(listed("Parts"), drawn.sort());
});

test("the README lists every event", () => {
  const sources = readdirSync("src").map((name) => `src/${name}`);
  const events = sources.flatMap((path) => found(path, /"(nudges:\w+)"/g));
  assert.deepEqual(
    listed("From the page's own code").filter((name) => name?.includes(":")),
    [...new Set(events.sort())],
  );
});

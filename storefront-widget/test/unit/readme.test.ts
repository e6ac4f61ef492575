import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import test from "node:test";
import { ATTRIBUTES } from "../../src/types.ts";

/** Drawn, but not the shop's to dress: for those who hear the page. */
const HIDDEN = ["announcer"];

const read = (path: string) => readFileSync(path, "utf8");
/** What stands first, in code, in the rows of the table below a heading. */
const listed = (heading: string) => {
  const section = read("README.md").split(`\n## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";
  return [...section.matchAll(/^\| `([^`]+)`/gm)].map(([, name]) => name).sort();
};
const sources = readdirSync("src").map((name) => read(`src/${name}`));
/** What a pattern finds anywhere in the code, each once. */
const found = (pattern: RegExp) =>
  [
    ...new Set(
      sources.flatMap((text) => [...text.matchAll(pattern)].map(([, name]) => name ?? "")),
    ),
  ].sort();

test("the README lists every option, custom property and part", () => {
  assert.deepEqual(listed("Options"), [...ATTRIBUTES].sort());
  assert.deepEqual(listed("Custom properties"), found(/var\((--saleor-[\w-]+)/g));
  const drawn = found(/(?:element\("\w+"|button\(|iconButton\()(?:, )?"([\w ]+)"/g);
  const parts = drawn.flatMap((names) => names.split(" "));
  assert.deepEqual(
    listed("Parts"),
    [...new Set(parts)].filter((name) => !HIDDEN.includes(name)).sort(),
  );
});

test("the README lists every event", () => {
  const named = found(/"(nudges:[\w-]+)"/g).filter((name) => name !== "nudges:added-to-cart");
  const ofNudges = found(/tell\("(\w+)", nudge/g).map((name) => `nudges:${name}`);
  assert.deepEqual(
    listed("From the page's own code").filter((name) => name?.includes(":")),
    [...named, ...ofNudges].sort(),
  );
});

test("the README lists everything that is stored", () => {
  const keys = found(/"(saleor-nudges(?:-\w+)?)"/g);
  assert.deepEqual(listed("What is stored"), keys);
});

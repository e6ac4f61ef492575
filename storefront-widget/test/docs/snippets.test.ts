import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import test from "node:test";
import { snippets } from "./snippets.ts";

/** Put into the shop of test/next as a whole, or asked of the schema by tests/test_docs.py. */
const ELSEWHERE = /^(src\/|\.env$|graphql$)/;

test("every snippet of docs/storefront.md is run", () => {
  const sources = readdirSync("test/docs").filter((name) => name.endsWith(".test.ts"));
  const code = sources.map((name) => readFileSync(`test/docs/${name}`, "utf8")).join();
  const left = [...snippets.keys()].filter(
    (name) => !ELSEWHERE.test(name) && !code.includes(`snippet("${name}"`),
  );
  assert.ok(snippets.size > 10);
  assert.deepEqual(left, []);
});

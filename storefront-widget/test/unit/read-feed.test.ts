import assert from "node:assert/strict";
import test from "node:test";
import { readFeed } from "../../src/read-feed.ts";

const display = { enabled: true, position: { desktop: "BOTTOM_LEFT", mobile: "TOP" } };
const read = (...nudges: unknown[]) => readFeed({ nudges, display, pollAfter: 5 });

test("a whole answer stays as it is", () => {
  const nudge = {
    id: "a",
    title: "A chair",
    text: "True.",
    href: "https://shop.example/chair",
    icon: "M0 0",
    new: 1,
  };
  const answer = { nudges: [nudge], display, withdrawn: ["b"], pollAfter: 5 };
  assert.deepEqual(readFeed(answer), answer);
});

test("what is no answer of ours is none", () => {
  for (const answer of [null, undefined, "nonsense", {}, { nudges: [] }, { display }]) {
    assert.equal(readFeed(answer), null);
  }
  assert.equal(readFeed({ nudges: [], display: { enabled: true, position: null } }), null);
});

test("what says nothing is not shown", () => {
  const feed = read(null, 7, {}, { id: "a" }, { id: {}, text: [] }, { id: "b", text: "True." });
  assert.deepEqual(
    feed?.nudges.map(({ id }) => id),
    ["b"],
  );
});

test("links lead to the web, or elsewhere in this shop", () => {
  const good = [
    "https://shop.example/chair",
    "HTTP://shop.example",
    "/chair",
    "../a:b",
    "chair",
    "?a",
  ];
  const bad = [
    "javascript:alert(1)",
    " javascript:alert(1)",
    "java\tscript:alert(1)",
    "data:x",
    "",
  ];
  const feed = read(...[...good, ...bad].map((href, id) => ({ id: `${id}`, text: "True.", href })));
  assert.deepEqual(
    feed?.nudges.map(({ href }) => href),
    [...good, ...bad.map(() => null)],
  );
  assert.equal(read({ id: "a", text: "True." })?.nudges[0]?.href, null);
});

test("a heading that the sentence repeats is left out", () => {
  const text = "Someone bought Apple Juice";
  const feed = read({ id: "a", title: "Apple Juice", text }, { id: "b", title: "Juice!", text });
  assert.deepEqual(
    feed?.nudges.map(({ title }) => title),
    ["", "Juice!"],
  );
});

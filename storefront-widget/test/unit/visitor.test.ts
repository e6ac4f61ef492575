import assert from "node:assert/strict";
import test from "node:test";
import { device } from "../../src/device.ts";
import { refusesTracking } from "../../src/refuses-tracking.ts";
import { shownNudges } from "../../src/shown-nudges.ts";
import { browserStore, memoryStore } from "../../src/store.ts";
import { createVisitor, visitorToken } from "../../src/visitor.ts";

const NEVER = new AbortController().signal;
const inHours = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString();

function serve(status: number, answer: unknown): string[] {
  const asked: string[] = [];
  globalThis.fetch = async (address, init) => {
    asked.push(`${init?.method} ${address} ${init?.body}`);
    return new Response(JSON.stringify(answer), { status });
  };
  return asked;
}

test("a new visitor gets a token, and keeps it", async () => {
  const asked = serve(200, { token: "t1", expiresAt: inHours(24) });
  const store = memoryStore();
  assert.equal(await visitorToken("https://n.example/", store, NEVER), "t1");
  assert.equal(await visitorToken("https://n.example/", store, NEVER), "t1");
  assert.deepEqual(asked, ["POST https://n.example/v1/session {}"]);
});

test("a token near its end is changed for a fresh one", async () => {
  const store = memoryStore();
  store.set("saleor-nudges", JSON.stringify({ token: "old", expiresAt: inHours(0.5) }));
  const asked = serve(200, { token: "new", expiresAt: inHours(24) });
  assert.equal(await visitorToken("https://n.example/", store, NEVER), "new");
  assert.deepEqual(asked, ['POST https://n.example/v1/session {"token":"old"}']);
});

test("a token that the server refused is changed for a fresh one, once on a page", async () => {
  const store = memoryStore();
  store.set("saleor-nudges", JSON.stringify({ token: "bad", expiresAt: inHours(24) }));
  const asked = serve(200, { token: "new", expiresAt: inHours(24) });
  const visitor = createVisitor("https://n.example/", store, NEVER);
  assert.equal(visitor.known(), null);
  assert.equal(await visitor.token(), "bad");
  assert.equal(visitor.known(), "bad");
  assert.equal(visitor.renew(), true);
  assert.equal(await visitor.token(), "new");
  assert.equal(visitor.renew(), false);
  assert.equal(await visitor.token(), "new");
  assert.deepEqual(asked, ['POST https://n.example/v1/session {"token":"bad"}']);
});

test("a server that gives no token leaves nothing behind", async () => {
  for (const [status, answer] of [
    [403, { token: "t", expiresAt: inHours(1) }],
    [200, { token: null }],
    [200, []],
  ] as const) {
    const store = memoryStore();
    serve(status, answer);
    assert.equal(await visitorToken("https://n.example/", store, NEVER), null);
    assert.equal(store.get("saleor-nudges"), null);
  }
});

test("a browser that says no is heard", () => {
  assert.equal(refusesTracking({ globalPrivacyControl: true }), true);
  assert.equal(refusesTracking({ doNotTrack: "1" }), true);
  assert.equal(refusesTracking({ doNotTrack: "0", globalPrivacyControl: false }), false);
  assert.equal(refusesTracking({ doNotTrack: null }), false);
});

test("storage out of reach is memory instead", () => {
  const store = browserStore(() => {
    throw new Error("SecurityError");
  });
  store.set("a", "1");
  assert.equal(store.get("a"), "1");
  assert.equal(store.get("b"), null);
});

test("the last 200 shown nudges are remembered, each once", () => {
  const shown = shownNudges(memoryStore());
  assert.deepEqual(shown.ids(), []);
  for (let i = 0; i < 205; i++) shown.add(`n${i}`);
  shown.add("n100");
  assert.equal(shown.ids().length, 200);
  assert.equal(shown.has("n4"), false);
  assert.equal(shown.has("n5"), true);
  assert.equal(shown.ids().at(-1), "n100");
});

test("devices are told apart", () => {
  const macintosh = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)";
  assert.equal(device("Mozilla/5.0 (Linux; Android 15; Pixel 9)", 5, false), "ANDROID");
  assert.equal(device("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0)", 5, false), "IOS");
  assert.equal(device(macintosh, 5, false), "IOS");
  assert.equal(device(macintosh, 0, true), "DESKTOP");
  assert.equal(device("Mozilla/5.0 (Windows NT 10.0; Win64; x64)", 10, false), "DESKTOP");
  assert.equal(device("SomeTelevision/1.0", 0, false), "OTHER");
});

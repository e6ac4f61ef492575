import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import test, { type TestContext } from "node:test";
import { checkoutHash } from "../../src/checkout-hash.ts";

const ID = "Q2hlY2tvdXQ6MTIzLWE=";
const HASH = createHash("sha256").update(ID).digest("hex");
const SHOP = { endpoint: "/", channel: "default-channel" };

function withCookies(t: TestContext, cookie: string): void {
  Object.assign(globalThis, { document: { cookie } });
  t.after(() => Reflect.deleteProperty(globalThis, "document"));
}

test("the checkout in the channel's cookie is told by its hash", async (t) => {
  const cookie = `checkoutId-default-channel=${encodeURIComponent(ID)}`;
  for (const cookies of [cookie, `a=b; ${cookie}; c=d`]) {
    withCookies(t, cookies);
    assert.equal(await checkoutHash(SHOP), HASH);
  }
});

test("a cookie of another channel, of another name or without a value is none", async (t) => {
  for (const name of ["checkoutId-other", "xcheckoutId-default-channel", "checkoutId-default"]) {
    withCookies(t, `${name}=${ID}`);
    assert.equal(await checkoutHash(SHOP), undefined, name);
  }
  withCookies(t, "checkoutId-default-channel=; a=b");
  assert.equal(await checkoutHash(SHOP), undefined);
});

test("the attribute goes before the cookie, in the server's small letters", async (t) => {
  withCookies(t, `checkoutId-default-channel=${ID}`);
  assert.equal(await checkoutHash({ ...SHOP, checkout: "AB".repeat(32) }), "ab".repeat(32));
});

test("an id given in the clear by mistake is not told", async (t) => {
  withCookies(t, "");
  assert.equal(await checkoutHash({ ...SHOP, checkout: ID }), undefined);
});

test("on plain http, where browsers compute no hash, there is none to tell", async (t) => {
  withCookies(t, `checkoutId-default-channel=${ID}`);
  t.mock.getter(globalThis, "crypto", () => ({}));
  await assert.rejects(checkoutHash(SHOP), TypeError);
});

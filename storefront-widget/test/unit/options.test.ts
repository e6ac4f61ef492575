import assert from "node:assert/strict";
import test from "node:test";
import { endpointOfScript } from "../../src/endpoint-of-script.ts";
import { readOptions } from "../../src/options.ts";

const BASE = "https://shop.example/products/chair";
const from = (
  attributes: Record<string, string>,
  endpoint: string | null = "https://shop.example/n/",
) => readOptions((name) => attributes[name] ?? (name === "endpoint" ? endpoint : null), BASE);

test("options read all attributes", () => {
  const hash = "AB".repeat(32);
  assert.deepEqual(
    from({
      endpoint: "https://nudges.example/base",
      channel: "default-channel",
      page: "product",
      product: "UHJvZHVjdDox",
      category: "Q2F0ZWdvcnk6MQ==",
      "language-code": "PT_BR",
      checkout: hash,
      user: "VXNlcjox.aa",
      shop: "s1",
      products: "UHJvZHVjdDox, UHJvZHVjdDoy",
      consent: "given",
      "checkout-path": "/kasse, /zahlung",
      "close-label": "Fechar",
      "withdrawn-label": "Já não é verdade",
    }),
    {
      endpoint: "https://nudges.example/base/",
      channel: "default-channel",
      page: "PRODUCT",
      product: "UHJvZHVjdDox",
      category: "Q2F0ZWdvcnk6MQ==",
      languageCode: "PT_BR",
      checkout: hash.toLowerCase(),
      user: "VXNlcjox.aa",
      shop: "s1",
      products: ["UHJvZHVjdDox", "UHJvZHVjdDoy"],
      consent: "GIVEN",
      checkoutPaths: ["/kasse", "/zahlung"],
      closeLabel: "Fechar",
      withdrawnLabel: "Já não é verdade",
    },
  );
});

test("options are none without a channel or an endpoint", () => {
  assert.equal(from({}), null);
  assert.equal(from({ channel: " " }), null);
  assert.equal(from({ channel: "c" }, null), null);
  assert.equal(from({ channel: "c", endpoint: "javascript:alert(1)" }), null);
});

test("a page that does not say what it is, is what it is about", () => {
  assert.equal(from({ channel: "c", product: "p", category: "k" })?.page, "PRODUCT");
  assert.equal(from({ channel: "c", category: "k" })?.page, "CATEGORY");
  assert.equal(from({ channel: "c", page: "BASEMENT" })?.page, "OTHER");
  assert.equal(from({ channel: "c", page: "CART", product: "p" })?.page, "CART");
});

test("consent that is not given in so many words is required", () => {
  const consent = (value: string) => from({ channel: "c", consent: value })?.consent;
  assert.deepEqual(["given", "GIVEN", "required", "yes", "true"].map(consent), [
    "GIVEN",
    "GIVEN",
    "REQUIRED",
    "REQUIRED",
    "REQUIRED",
  ]);
  assert.equal(from({ channel: "c" })?.consent, null);
});

test("a checkout id in the clear is never kept", () => {
  assert.equal(from({ channel: "c", checkout: "Q2hlY2tvdXQ6YWJj" })?.checkout, null);
});

test("the endpoint is where the script came from", () => {
  assert.equal(
    endpointOfScript("https://shop.example/plugins/global/saleor-nudges/v1/widget.js?v=2#x"),
    "https://shop.example/plugins/global/saleor-nudges/",
  );
  assert.equal(endpointOfScript("https://shop.example/v1/widget.js"), "https://shop.example/");
  assert.equal(endpointOfScript("https://cdn.example/bundle.js"), null);
  assert.equal(endpointOfScript(""), null);
});

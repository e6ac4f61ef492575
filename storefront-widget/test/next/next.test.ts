/** The Next.js snippets in a real Next.js shop. */
import assert from "node:assert/strict";
import test from "node:test";
import { newPage } from "../docs/browse.ts";
import { serveNudges } from "../docs/serve.ts";
import { startNextShop } from "./next-shop.ts";
import { shopAround, stock } from "./next-story.ts";

test("Next.js: nudges follow the shopper through a shop with a cached shell", async (t) => {
  const page = await newPage(t);
  const { nudges, fixture } = await serveNudges();
  stock(fixture);
  const origin = await startNextShop("cached", nudges);
  await shopAround(page, fixture, origin);
});

test("Next.js: a page's nonce lets the widget and its parts in", async (t) => {
  // given
  const page = await newPage(t);
  const { nudges, fixture } = await serveNudges();
  stock(fixture);
  const origin = await startNextShop("nonce", nudges);

  // when
  const answer = await page.goto(`${origin}/en/default-channel`);

  // then
  const policy = (await answer?.headerValue("Content-Security-Policy")) ?? "";
  assert.match(policy, /script-src 'nonce-[\w+/=]+';/);
  await page.getByText("9 people looked at this table").waitFor();
  await page.locator("saleor-nudges [part=toast]").waitFor();
});

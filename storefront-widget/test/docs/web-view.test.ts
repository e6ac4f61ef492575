/** The app's snippet in real React, and its page on a phone's screen, with what lies between them stood in for. */
import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { build } from "esbuild";
import type { Page } from "playwright-core";
import { type Fixture, nudge } from "../browser/fixture-server.ts";
import { newPage, until } from "./browse.ts";
import { serveNudges, serveShop } from "./serve.ts";
import { snippet } from "./snippets.ts";

const CHAIR = "UHJvZHVjdDox";
const PHONE = {
  viewport: { width: 390, height: 800 },
  isMobile: true,
  hasTouch: true,
  userAgent:
    "Mozilla/5.0 (Linux; Android 15; Pixel 9 Build/AP4A; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/140.0.0.0 Mobile Safari/537.36",
};
const APP = `<!doctype html><html lang="en"><head><title>App</title></head><body><div id="app"></div>
<script type="module" src="/app.js"></script></body></html>`;

interface Loaded {
  source: { html?: string; uri?: string; baseUrl?: string };
  before: string;
  after: string;
}

async function buildApp(nudges: string, shop: string): Promise<string> {
  const code = snippet("nudges-view.tsx", nudges, shop);
  const { outputFiles } = await build({
    stdin: {
      contents: `${code}\nimport { start } from "./test/docs/stand-ins/app.ts";\nstart({ NudgesView, pageOf });`,
      resolveDir: ".",
      loader: "tsx",
    },
    bundle: true,
    write: false,
    format: "esm",
    jsx: "automatic",
    alias: { "react-native-webview": "./test/docs/stand-ins/react-native-webview.ts" },
    define: { "process.env.NODE_ENV": '"production"' },
    logLevel: "error",
  });
  return outputFiles[0]?.text ?? "";
}

/** An app on one side, the page in its web view on the other. */
async function openApp(t: TestContext, screen: string | null, prepare: (fixture: Fixture) => void) {
  const [app, view] = [await newPage(t), await newPage(t, PHONE)];
  const { nudges, fixture } = await serveNudges();
  prepare(fixture);
  const tag = snippet("product.html", nudges).replace("async", 'data-consent="required" async');
  const html = `<!doctype html><html lang="en"><head><title>Shop</title>
<meta name="viewport" content="width=device-width"></head><body><h1>Oak chair</h1>${tag}</body></html>`;
  let native = "";
  const shop = await serveShop(() => ({ "/": native, "/oak-chair": html, "/ash-table": html }));
  const code = await buildApp(nudges, shop);
  const origin = await serveShop(() => ({ "/": APP, "/app.js": code }));
  const loaded = await connect(app, view);
  await app.addInitScript((screen) => Object.assign(window, { screen }), screen && shop + screen);
  await app.goto(origin);
  const { source, before, after } = await loaded();
  native = source.html ?? "";
  await view.addInitScript(before);
  await view.goto(source.uri ?? `${source.baseUrl}/`);
  await view.evaluate(after);
  return { app, view, fixture, shop };
}

/** What react-native-webview does between the two. */
async function connect(app: Page, view: Page): Promise<() => Promise<Loaded>> {
  const post = (data: string) =>
    app.evaluate((data) => {
      (window as unknown as { receive(data: string): void }).receive(data);
    }, data);
  await view.exposeFunction("postToApp", post);
  await view.addInitScript(() =>
    Object.assign(window, {
      ReactNativeWebView: {
        postMessage: (data: string) =>
          (window as unknown as { postToApp(data: string): void }).postToApp(data),
      },
    }),
  );
  await app.exposeFunction("inject", (script: string) => view.evaluate(script));
  let told: (page: Loaded) => void = () => {};
  const loaded = new Promise<Loaded>((resolve) => {
    told = resolve;
  });
  await app.exposeFunction("load", (page: Loaded) => told(page));
  return () => loaded;
}

const agree = (app: Page, agreed: boolean) =>
  app.evaluate((agreed) => {
    (window as unknown as { agree(agreed: boolean): void }).agree(agreed);
  }, agreed);

test("web view: a native screen has its place, no toast, and nothing before the app agreed", async (t) => {
  // given
  const { app, view, fixture } = await openApp(t, null, (fixture) => {
    const product = { id: CHAIR, name: "Oak chair", slug: "oak-chair" };
    fixture.nudges = [
      nudge("n0000001"),
      nudge("n0000002", { product, slot: "INLINE", text: "14 people looked at this" }),
    ];
  });
  await view.waitForFunction(() => "saleorNudges" in window);
  await view.waitForTimeout(300);
  assert.deepEqual(fixture.heard, []);

  // when
  await agree(app, true);

  // then
  await view.getByText("14 people looked at this").waitFor();
  await view.waitForTimeout(600);
  assert.equal(await view.locator("saleor-nudges [part=toast]").count(), 0);
  const wide = await view.evaluate(() => document.documentElement.scrollWidth);
  assert.equal(wide, PHONE.viewport.width);

  // when
  await agree(app, false);

  // then
  await view.locator("[part=inline]").waitFor({ state: "detached" });
  assert.deepEqual(await view.evaluate(() => Object.keys(localStorage)), []);
});

test("web view: a link in a nudge is the app's to open", async (t) => {
  // given
  const { app, view, shop } = await openApp(t, "/oak-chair", (fixture) => {
    fixture.nudges = [nudge("n0000001", { href: "/ash-table" })];
  });
  await agree(app, true);

  // when
  await view.locator("saleor-nudges [part=link]").tap();

  // then
  const opened = () => app.evaluate(() => (window as unknown as { opened: string[] }).opened);
  await until("the app is told", async () => (await opened()).length > 0);
  assert.deepEqual(await opened(), [`${shop}/ash-table`]);
  await view.waitForTimeout(500);
  assert.equal(view.url(), `${shop}/oak-chair`);
});

/** Opens the fixture's shop in Chromium, for one test, and watches it for errors. */
import assert from "node:assert/strict";
import { after, before, type TestContext } from "node:test";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { type Fixture, startFixture } from "./fixture-server.ts";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
];

let browser: Browser;

before(async () => {
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "", args: FLAGS });
});
after(() => browser.close());

/** A shop of its own for each test; when it ends, the page must have had nothing to complain about. */
export async function openShop(
  t: TestContext,
  prepare: (fixture: Fixture) => void = () => {},
  {
    init,
    path = "/",
    clock = false,
    ...options
  }: BrowserContextOptions & { init?: () => void; path?: string; clock?: boolean } = {},
): Promise<{ page: Page; fixture: Fixture }> {
  const fixture = await startFixture("dist/widget.js");
  prepare(fixture);
  const context = await browser.newContext({ viewport: { width: 1000, height: 700 }, ...options });
  context.setDefaultTimeout(5_000);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    // The browser itself reports a refused request; the widget is not to blame for the server.
    const refused = fixture.expectsRefusals && message.text().startsWith("Failed to load resource");
    const warned = fixture.expectsWarnings && message.type() === "warning";
    if (warned) fixture.warnings.push(message.text());
    else if (["error", "warning"].includes(message.type()) && !refused)
      complaints.push(message.text());
  });
  if (init) await page.addInitScript(init);
  t.after(async () => {
    await context.close();
    await fixture.close();
    assert.deepEqual(complaints, []);
  });
  // The page's clock goes on as usual, and can be put forward.
  if (clock) await page.clock.install();
  await page.goto(fixture.origin + path);
  return { page, fixture };
}

/** Waits until something holds outside of the page. */
export async function until(what: string, holds: () => boolean, ms = 5_000): Promise<void> {
  const end = Date.now() + ms;
  while (!holds()) {
    if (Date.now() > end) assert.fail(`still not so after ${ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Makes the page believe that its tab went behind another, or came back. */
export async function setHidden(page: Page, hidden: boolean): Promise<void> {
  await page.evaluate((hidden) => {
    Object.defineProperty(document, "hidden", { configurable: true, value: hidden });
    document.dispatchEvent(new Event("visibilitychange"));
  }, hidden);
}

/** How much of the page has moved by itself so far. */
export function shifts(page: Page): Promise<number> {
  return page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        let sum = 0;
        new PerformanceObserver((list) => {
          for (const entry of list.getEntries())
            sum += (entry as unknown as { value: number }).value;
        }).observe({ type: "layout-shift", buffered: true });
        setTimeout(() => resolve(sum), 300);
      }),
  );
}

/** What those who hear the page are told last. */
export function announced(page: Page): Promise<string> {
  return page.locator("saleor-nudges [role=status]").innerText();
}

/** Collects the element's events on the page, as `name:detail.reason`. */
export async function listen(page: Page): Promise<() => Promise<string[]>> {
  await page.evaluate(() => {
    const heard: string[] = [];
    Object.assign(window, { heard });
    for (const name of ["nudges:shown", "nudges:clicked", "nudges:closed"]) {
      document.addEventListener(name, (event) => {
        const { nudge, reason } = (event as CustomEvent).detail;
        heard.push([name, nudge.id, reason].filter(Boolean).join(" "));
      });
    }
  });
  return () => page.evaluate(() => (window as unknown as { heard: string[] }).heard);
}

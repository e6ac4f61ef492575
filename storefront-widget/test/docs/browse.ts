/** Opens a page in Chromium for one test; when it ends, the page must have had nothing to complain about. */
import assert from "node:assert/strict";
import { after, before, type TestContext } from "node:test";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";

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

export async function newPage(t: TestContext, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1000, height: 700 }, ...options });
  context.setDefaultTimeout(10_000);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  t.after(async () => {
    await context.close();
    assert.deepEqual(complaints, []);
  });
  return page;
}

/** Waits until something holds outside of the page. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  ms = 10_000,
): Promise<void> {
  const end = Date.now() + ms;
  while (!(await holds())) {
    if (Date.now() > end) assert.fail(`still not so after ${ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Types an address again and again, as long as nobody listens yet. */
export async function typeAddressUntil(page: Page, address: string, heard: () => boolean) {
  const field = page.getByLabel("Email");
  const type = async () => {
    for (const text of ["", address]) {
      await field.fill(text);
      await field.blur();
    }
    return heard();
  };
  await until(`${address} is heard`, type, 20_000);
}

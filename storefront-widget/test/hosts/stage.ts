/** Opens one host in Chromium, at one size, and watches it for anything it could complain about. */
import assert from "node:assert/strict";
import test, { after, before, describe, type TestContext } from "node:test";
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from "playwright-core";
import { display, type Fixture, nudge, startFixture } from "../browser/fixture-server.ts";
import { FLAGS, SIZES, type Size } from "./chromium.ts";
import { buildHosts } from "./code.ts";
import { type HostServer, startHost } from "./host-server.ts";
import { HOSTS, type Host } from "./hosts.ts";
import { CHAIRS } from "./shop.ts";

let browser: Browser;
let code: ReadonlyMap<string, Uint8Array>;

before(async () => {
  code = await buildHosts();
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "", args: FLAGS });
});
after(() => browser?.close());

export interface Scene {
  host: Host;
  size: Size;
  page: Page;
  context: BrowserContext;
  fixture: Fixture;
  server: HostServer;
}

export interface Setting extends BrowserContextOptions {
  path?: string;
  /** Before the page is opened. */
  prepare?: (fixture: Fixture, server: HostServer) => void;
  /** In the page, before anything else runs there. */
  init?: () => void;
  /** The page's clock can be put forward. */
  clock?: boolean;
  /** True: what the browser itself says of refused requests is no complaint. */
  expectsRefusals?: boolean;
}

/** Plain, strict and routed: the three that everything must hold on. */
export const THREE = [HOSTS.plain, HOSTS.nonced, HOSTS.react];

const AT_ONCE = Number(process.env.TESTS_AT_ONCE ?? 1);

/** The same test on each of these hosts, at both sizes; a few at a time, as most of it is waiting. */
export function onHosts(
  what: string,
  run: (open: (setting?: Setting) => Promise<Scene>, size: Size) => Promise<void>,
  hosts: Host[] = THREE,
): void {
  describe(what, { concurrency: AT_ONCE }, () => {
    for (const host of hosts) {
      for (const size of Object.keys(SIZES) as Size[]) {
        test(`${host.name}, ${size}`, (t) =>
          run((setting = {}) => openHost(t, host, size, setting), size));
      }
    }
  });
}

async function openHost(t: TestContext, host: Host, size: Size, setting: Setting): Promise<Scene> {
  const { path = "/", prepare, init, clock, expectsRefusals, ...options } = setting;
  const fixture = await startFixture("dist/widget.js");
  fixture.nudges = [toast()];
  const server = await startHost(host, fixture, code);
  prepare?.(fixture, server);
  const context = await browser.newContext({ ...SIZES[size], ...options });
  context.setDefaultTimeout(10_000);
  const page = await context.newPage();
  const complaints = watch(page, expectsRefusals === true);
  if (init) await page.addInitScript(init);
  await page.addInitScript(reportWhatIsForbidden);
  t.after(async () => {
    await context.close();
    await server.close();
    await fixture.close();
    assert.deepEqual(complaints, []);
  });
  if (clock) await page.clock.install();
  await page.goto(server.origin + path);
  return { host, size, page, context, fixture, server };
}

/** Everything a page's owner would find in their console. */
function watch(page: Page, expectsRefusals: boolean): string[] {
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(`pageerror: ${error}`));
  page.on("crash", () => complaints.push("the page has crashed"));
  page.on("console", (message) => {
    const text = message.text();
    const refused = expectsRefusals && text.startsWith("Failed to load");
    if (["error", "warning"].includes(message.type()) && !refused) complaints.push(text);
  });
  return complaints;
}

function reportWhatIsForbidden(): void {
  const complain = console.error.bind(console);
  addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI }) =>
    complain(`securitypolicyviolation: ${effectiveDirective} ${blockedURI}`),
  );
  addEventListener("unhandledrejection", ({ reason }) => complain(`unhandledrejection: ${reason}`));
}

/** What is said of the first chair, as a toast. */
export function toast(id = "n0000001", more: Parameters<typeof nudge>[1] = {}) {
  return nudge(id, { image: "/chair.svg", title: "Oak chair", ...more });
}

/** What is said of a chair, beside it. */
export function inline(id: string, chair: number, text: string, more: object = {}) {
  const product = { id: CHAIRS[chair]?.id ?? "", name: "A chair", slug: "chair" };
  const about = { type: "PRODUCT_VIEW", category: "POPULARITY", slot: "INLINE" };
  return nudge(id, {
    ...about,
    title: "",
    product,
    text,
    evidence: { windowSeconds: 3600 },
    ...more,
  });
}

export { display, nudge };

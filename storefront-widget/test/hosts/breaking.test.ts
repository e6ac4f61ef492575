import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { Fault } from "./host-server.ts";
import { HOSTS } from "./hosts.ts";
import { said, setHidden, toastOf, until } from "./shopper.ts";
import { inline, onHosts, toast } from "./stage.ts";

const BOTH = [HOSTS.plain, HOSTS.react];
const resets = readFileSync("test/hosts/hostile.css", "utf8");

onHosts(
  "a page that resets all styles and covers everything does not change a toast",
  async (open) => {
    const { page, size } = await open({
      path: "/products/oak-chair",
      prepare(fixture, { shop }) {
        shop.css = resets;
        fixture.nudges = [toast(), inline("i0000001", 0, "14 people looked at this")];
      },
    });
    const shown = toastOf(page);
    await shown.waitFor();
    await page.waitForTimeout(500);
    const box = await shown.boundingBox();
    assert.equal(Math.round(box?.width ?? 0), size === "phone" ? 366 : 368);
    assert.ok((box?.height ?? 0) > 60 && (box?.height ?? 0) < 140, `as high as ${box?.height}`);
    const looks = await shown.locator("[part=text]").evaluate((text) => {
      const { fontSize, textTransform, letterSpacing, borderTopWidth } = getComputedStyle(text);
      return [fontSize, textTransform, letterSpacing, borderTopWidth];
    });
    assert.deepEqual(looks, ["14px", "none", "normal", "0px"]);
    // Above what the page put above everything.
    const close = await shown.getByRole("button", { name: "Close", exact: true }).boundingBox();
    const on = await page.evaluate(
      ([x, y]) => document.elementFromPoint(x ?? 0, y ?? 0)?.localName,
      [(close?.x ?? 0) + 8, (close?.y ?? 0) + 8],
    );
    assert.equal(on, "saleor-nudges");
    assert.deepEqual(await said(page), ["14 people looked at this"]);
  },
  BOTH,
);

onHosts(
  "a page whose storage is out of reach and whose prototypes are littered is served",
  async (open) => {
    const { page, fixture } = await open({
      prepare(fixture) {
        fixture.nudges = [toast(), inline("i0000001", 1, "14 people looked at this")];
      },
      init: () => {
        for (const name of ["localStorage", "sessionStorage"]) {
          Object.defineProperty(window, name, {
            get() {
              throw new DOMException("denied", "SecurityError");
            },
          });
        }
        Object.defineProperty(document, "cookie", {
          get() {
            throw new DOMException("denied", "SecurityError");
          },
        });
        for (const { prototype } of [Array, Object] as { prototype: object }[]) {
          Object.defineProperty(prototype, "litter", {
            value: () => "litter",
            enumerable: true,
            writable: true,
            configurable: true,
          });
        }
      },
    });
    await toastOf(page).waitFor();
    assert.deepEqual(await said(page), ["", "14 people looked at this", ""]);
    await setHidden(page, true);
    await until("a view is told", () => fixture.events().length > 0);
    await setHidden(page, false);
    assert.equal(JSON.stringify(fixture.batches).includes("litter"), false);
    await page.keyboard.press("Escape");
    await page.locator("saleor-nudges [part=toast]").waitFor({ state: "detached" });
  },
  BOTH,
);

onHosts(
  "a page whose fetch, beacon, observers and router throw goes on as it is",
  async (open) => {
    const { page, server } = await open({
      init: () => {
        const broken = () => {
          throw new TypeError("the page's own");
        };
        Object.assign(window, { fetch: broken, matchMedia: broken });
        Object.assign(navigator, { sendBeacon: broken });
        Object.assign(window, {
          IntersectionObserver: class {
            constructor() {
              broken();
            }
          },
        });
        Object.defineProperty(document, "cookie", { get: broken, set: broken });
      },
    });
    await page.locator('a[href="/products/oak-chair"]').click();
    await page.waitForURL("**/products/oak-chair");
    await page.keyboard.press("Escape");
    await page.waitForTimeout(300);
    assert.equal(await page.locator("h1").innerText(), "Oak chair");
    assert.equal(await page.locator("saleor-nudges [part=toast]").count(), 0);
    assert.ok(server.heard.length <= 4, server.heard.join(" "));
  },
  BOTH,
);

const SAYS = /^v1\/(session|nudges|words|events)/;
const FILES = /^v1\/widget\//;
const FAULTS: [RegExp, Fault][] = [
  [SAYS, "ERROR"],
  [SAYS, "GARBAGE"],
  [SAYS, "NONSENSE"],
  [SAYS, "RESET"],
  [SAYS, "HANG"],
  [FILES, "ERROR"],
  [FILES, "RESET"],
  [/^v1\/widget\.js/, "ERROR"],
];

onHosts("nothing a server can do wrong reaches the page", async (open) => {
  const { page, server } = await open({ expectsRefusals: true });
  for (const fault of FAULTS) {
    server.faults.splice(0, 1, fault);
    const before = server.heard.length;
    await page.evaluate(() => localStorage.clear());
    await page.goto(`${server.origin}/products/oak-chair`);
    await until(`something is asked: ${fault}`, () => server.heard.length > before);
    await page.locator("#buy").click();
    await page.keyboard.press("Escape");
    await page.waitForTimeout(150);
    assert.equal(await page.locator("h1").innerText(), "Oak chair");
  }
});

onHosts(
  "a server in trouble is asked less and less, and trusted again when it is back",
  async (open) => {
    const { page, fixture, server } = await open({
      clock: true,
      expectsRefusals: true,
      prepare: (_fixture, { faults }) => void faults.push([SAYS, "ERROR"]),
    });
    const asks = () => server.heard.filter((path) => path.startsWith("v1/nudges")).length;
    await until("the page asks", () => asks() > 0);
    for (let second = 0; second < 60; second += 5) {
      await page.clock.runFor(5_000);
      await page.waitForTimeout(20);
    }
    assert.ok(asks() <= 8, `asked ${asks()} times in a minute`);
    server.faults.length = 0;
    for (let second = 0; second < 600 && fixture.asked.length === 0; second += 10) {
      await page.clock.runFor(10_000);
      await page.waitForTimeout(20);
    }
    await until("it is asked again", () => fixture.asked.length > 0);
    await page.clock.runFor(2_000);
    await toastOf(page).waitFor();
  },
  [HOSTS.react],
);

/** What shoppers see and do, in words that hold on every host and at every size. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import type { ShopperEvent } from "../../src/types.ts";
import type { Scene } from "./stage.ts";

export { setHidden, shifts, until } from "../browser/shop.ts";

/** The toast that is not about to leave. */
export const toastOf = (page: Page) => page.locator("saleor-nudges [part=toast]:not(.leaving)");

/** What each place says, in the order of the page. */
export function said(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll("[data-saleor-nudges-product]")].map(
      ({ shadowRoot }) => shadowRoot?.querySelector("[part=text]")?.textContent ?? "",
    ),
  );
}

/** With the finger or the mouse, as the size is. */
export async function press({ page, size }: Scene, name: string): Promise<void> {
  const button = toastOf(page).getByRole("button", { name, exact: true });
  await (size === "phone" ? button.tap() : button.click());
}

/** Goes to another page of the shop by its links. */
export async function go({ page, server }: Scene, path: string): Promise<void> {
  await page.locator(`a[href="${path}"]`).first().click();
  await page.waitForURL(server.origin + path);
}

/** What the server counts: the same event sent twice is one. */
export function told({ fixture }: Scene): ShopperEvent[] {
  return [...new Map(fixture.events().map((event) => [event.id, event])).values()];
}

/** Events by kind and, if they are about one, product. */
export function kinds(scene: Scene): string[] {
  return told(scene).map(({ kind, product }) => (product ? `${kind} ${product}` : kind));
}

/** Everything the shop's site keeps in this browser for us. */
export function stored(page: Page): Promise<string[]> {
  return page.evaluate(() => [...Object.keys(localStorage), ...Object.keys(sessionStorage)].sort());
}

/** Puts the page's clock forward until something holds outside of the page. */
export async function untilLater(
  what: string,
  { page }: Scene,
  holds: () => boolean | Promise<boolean>,
) {
  const end = Date.now() + 10_000;
  while (!(await holds())) {
    if (Date.now() > end) assert.fail(`still not so: ${what}`);
    await page.clock.runFor(1_000);
    await page.waitForTimeout(30);
  }
}

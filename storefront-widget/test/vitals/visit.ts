/** One first visit to a product's page with a slow processor, and what it was like. */
import type { HostServer } from "../hosts/host-server.ts";
import type { Chromium } from "./bare-chromium.ts";
import { type TraceEvent, timeOf } from "./script-time.ts";

/** A phone of the cheaper half. */
export const SLOWER = 4;
const PHONE = { width: 390, height: 844, deviceScaleFactor: 2, mobile: true };
/** From the beginning of a navigation until all that belongs to loading is long over. */
const LOADED = 1_800;
/** What was due a second later is shown within this time. */
const SHOWN = 1_700;
const PRESSES = 5;
/** Milliseconds: what a browser does not tell of is shorter than 16. */
const UNSEEN = 8;

export interface Vitals {
  lcp: number;
  cls: number;
  inp: number;
  /** Milliseconds that each press took, slowest first. */
  presses: number[];
  /** Milliseconds of scripts until the page has loaded, of the visit's beginning, and until what is due stands. */
  load: number;
  begin: number;
  show: number;
  /** All that the main thread did, in milliseconds. */
  tasks: number;
  toasts: number;
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

interface Tab {
  send<T>(method: string, params?: object): Promise<T>;
  evaluate<T>(expression: string): Promise<T>;
  close(): Promise<void>;
}

/** Loads, waits for what is shown, buys and searches, and counts what of it is below an address. */
export async function visit(
  chromium: Chromium,
  server: HostServer,
  below: string,
): Promise<Vitals> {
  const tab = await openTab(chromium, `${server.origin}/chair.svg`);
  await tab.send("Performance.enable", { timeDomain: "threadTicks" });
  const before = await taskSeconds(tab);
  const address = `${server.origin}/products/oak-chair`;
  const first = await traced(chromium, async () => {
    await tab.send("Page.navigate", { url: address });
    await pause(LOADED);
  });
  const loaded = first.filter(({ name }) => name === "MarkLoad").at(-1)?.ts ?? 0;
  const load = timeOf(
    first.filter(({ ts }) => ts <= loaded),
    below,
  );
  const begin = timeOf(first, below) - load;
  const show = timeOf(await traced(chromium, () => pause(SHOWN)), below);
  const tasks = 1000 * ((await taskSeconds(tab)) - before);
  await use(tab);
  const { interactions, ...found } = await tab.evaluate<
    Pick<Vitals, "lcp" | "cls" | "inp"> & { interactions: Record<number, number> }
  >("window.vitals");
  const presses = Object.values(interactions).sort((a, b) => b - a);
  while (presses.length < 3 * PRESSES) presses.push(UNSEEN);
  const toasts = await tab.evaluate<number>(
    `document.querySelector("saleor-nudges")?.shadowRoot.querySelectorAll("[part=toast]").length ?? 0`,
  );
  await tab.close();
  return { ...found, presses, load, begin, show, tasks, toasts };
}

/** A visitor never seen before: no cache, no storage. */
async function openTab(chromium: Chromium, url: string): Promise<Tab> {
  const { browserContextId } = await chromium.send<{ browserContextId: string }>(
    "Target.createBrowserContext",
  );
  // On the shop's own address, so that the next page has the same process.
  const { targetId } = await chromium.send<{ targetId: string }>("Target.createTarget", {
    url,
    browserContextId,
  });
  const { sessionId } = await chromium.send<{ sessionId: string }>("Target.attachToTarget", {
    targetId,
    flatten: true,
  });
  const send = <T>(method: string, params?: object) => chromium.send<T>(method, params, sessionId);
  await send("Emulation.setDeviceMetricsOverride", PHONE);
  await send("Emulation.setCPUThrottlingRate", { rate: SLOWER });
  return {
    send,
    async evaluate<T>(expression: string) {
      const options = { expression, returnByValue: true };
      const { result } = await send<{ result: { value: T } }>("Runtime.evaluate", options);
      return result.value;
    },
    close: () => chromium.send("Target.disposeBrowserContext", { browserContextId }),
  };
}

async function traced(chromium: Chromium, happen: () => Promise<unknown>): Promise<TraceEvent[]> {
  const events: TraceEvent[] = [];
  chromium.on("Tracing.dataCollected", ({ value }) => void events.push(...(value as TraceEvent[])));
  const complete = new Promise<unknown>((resolve) => {
    chromium.on("Tracing.tracingComplete", resolve);
  });
  const traceConfig = {
    includedCategories: ["v8", "devtools.timeline"],
    excludedCategories: ["*"],
  };
  await chromium.send("Tracing.start", { traceConfig });
  await happen();
  await chromium.send("Tracing.end");
  await complete;
  return events;
}

/** Buys and searches while a toast stands. */
async function use(tab: Tab): Promise<void> {
  for (let i = 0; i < PRESSES; i++) {
    await press(tab, "#buy");
    await press(tab, "#search");
    for (const type of ["keyDown", "keyUp"]) {
      await tab.send("Input.dispatchKeyEvent", { type, key: "o", text: "o", code: "KeyO" });
    }
    await pause(60);
  }
  await pause(300);
}

async function press(tab: Tab, selector: string): Promise<void> {
  const [x, y] = await tab.evaluate<[number, number]>(
    `(({ x, y }) => [x + 5, y + 5])(document.querySelector("${selector}").getBoundingClientRect())`,
  );
  for (const type of ["mousePressed", "mouseReleased"]) {
    await tab.send("Input.dispatchMouseEvent", { type, x, y, button: "left", clickCount: 1 });
  }
  await pause(60);
}

async function taskSeconds(tab: Tab): Promise<number> {
  const { metrics } = await tab.send<{ metrics: { name: string; value: number }[] }>(
    "Performance.getMetrics",
  );
  return metrics.find(({ name }) => name === "TaskDuration")?.value ?? 0;
}

/** The page with the widget beside the same page without it, in turns; prints one object as JSON. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { BASE, display, nudge, startFixture } from "../browser/fixture-server.ts";
import { buildHosts } from "../hosts/code.ts";
import { type HostServer, startHost } from "../hosts/host-server.ts";
import { HOSTS, type Host, WITHOUT } from "../hosts/hosts.ts";
import { type Chromium, startChromium } from "./bare-chromium.ts";
import { SLOWER, type Vitals, visit } from "./visit.ts";

const median = (values: number[]) => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.floor(middle)] ?? 0) + (sorted[Math.ceil(middle) - 1] ?? 0)) / 2;
};
const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
/** The slower half of all presses: the browser tells them in steps of 8 ms, a mean sees between. */
const slower = (all: Vitals[]) => {
  const presses = all.flatMap(({ presses }) => presses).sort((a, b) => b - a);
  return mean(presses.slice(0, Math.ceil(presses.length / 2)));
};
const rounded = (value: number) => Math.round(value * 1000) / 1000;

/** Gzipped, each file alone, as size-limit counts. */
function sizes(): Record<string, number> {
  const size = (file: string) => gzipSync(readFileSync(file), { level: 9 }).length;
  const loader = size("dist/widget.js");
  const folder = "dist/widget";
  const rest = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".js")) : [];
  const all = rest.reduce((sum, name) => sum + size(`${folder}/${name}`), loader);
  return { first_bytes: loader, all_bytes: all };
}

function summary(all: Vitals[]) {
  const of = (name: Exclude<keyof Vitals, "presses">) => all.map((one) => one[name]);
  return {
    lcp_ms: rounded(median(of("lcp"))),
    cls: rounded(Math.max(...of("cls"))),
    inp_ms: rounded(median(of("inp"))),
    presses_ms: rounded(slower(all)),
    tasks_ms: rounded(median(of("tasks"))),
    script_on_load_ms: rounded(median(of("load"))),
    script_to_begin_ms: rounded(median(of("begin"))),
    script_to_show_ms: rounded(median(of("show"))),
  };
}

async function measure(chromium: Chromium, guest: HostServer, alone: HostServer, rounds: number) {
  const [ours, theirs]: [Vitals[], Vitals[]] = [[], []];
  const load = (server: HostServer) => visit(chromium, server, BASE);
  // The first of everything is slower; it counts for neither.
  await load(guest);
  await load(alone);
  for (let round = 0; round < rounds; round++) {
    ours.push(await load(guest));
    theirs.push(await load(alone), await load(alone));
    ours.push(await load(guest));
  }
  if (ours.some(({ toasts }) => toasts !== 1)) throw new Error("Not every visit had its toast.");
  const [present, absent] = [summary(ours), summary(theirs)];
  return {
    cpu_slowdown: SLOWER,
    visits: ours.length,
    script_on_load_ms: rounded(present.script_on_load_ms - absent.script_on_load_ms),
    script_to_begin_ms: rounded(present.script_to_begin_ms - absent.script_to_begin_ms),
    script_to_show_ms: rounded(present.script_to_show_ms - absent.script_to_show_ms),
    script_on_load_each_ms: ours.map((one) => rounded(one.load)),
    cls_added: rounded(present.cls - absent.cls),
    inp_ratio: rounded(present.presses_ms / absent.presses_ms),
    with: present,
    without: absent,
    ...sizes(),
  };
}

/** The page with what a shop's own monitoring would be. */
const watched = (host: Host): Host => ({
  ...host,
  page: (asked) =>
    host
      .page(asked)
      .replace("</title>", `</title><script type="module" src="/watch-vitals.js"></script>`),
});

const rounds = Math.max(1, Number(process.argv[2] ?? 5));
const code = await buildHosts("test/vitals/watch-vitals.ts");
const fixture = await startFixture("dist/widget.js");
// Due when the load is long over: what it takes to show is counted apart.
fixture.display = display({ initialDelay: 2 });
fixture.nudges = [nudge("n0000001", { title: "Oak chair", image: "/chair.svg" })];
const guest = await startHost(watched(HOSTS.plain), fixture, code);
const alone = await startHost(watched(WITHOUT), fixture, code);
const chromium = startChromium(process.env.CHROMIUM ?? "/usr/bin/chromium");
try {
  console.log(JSON.stringify(await measure(chromium, guest, alone, rounds), null, 1));
} finally {
  await chromium.close();
  await Promise.all([guest.close(), alone.close(), fixture.close()]);
}

/** The shop of this folder with the snippets in it, built and started by Next.js. */
import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { after } from "node:test";
import { snippet, snippets } from "../docs/snippets.ts";

const HERE = "test/next";
const NEXT = `${process.cwd()}/${HERE}/node_modules/next/dist/bin/next`;
const LAYOUT = "src/app/(storefront)/[locale]/layout.tsx";

/** Which shop: as most are, or one whose pages carry a nonce. */
export type Kind = "cached" | "nonce";

/** Ended with the file, whatever became of its tests. */
const shops: ChildProcess[] = [];
after(() => {
  for (const shop of shops) shop.kill();
});

/** Builds the shop and starts it on 127.0.0.1; answers with its origin. */
export async function startNextShop(kind: Kind, nudges: string): Promise<string> {
  const folder = `${HERE}/build/${kind}`;
  rmSync(folder, { recursive: true, force: true });
  cpSync(`${HERE}/shop`, folder, { recursive: true });
  for (const name of snippets.keys())
    if (name.startsWith("src/") || name === ".env")
      write(`${folder}/${name}`, snippet(name, nudges));
  if (kind === "nonce") takeTheNonce(folder);
  await finished(next(folder, kind, "build"));
  const shop = next(folder, kind, "start", "--hostname", "127.0.0.1", "--port", "0");
  shops.push(shop);
  return originOf(shop);
}

/** Step 8 of the page: in place of `<Nudges />` in the layout. */
function takeTheNonce(folder: string): void {
  cpSync(`${HERE}/nonce`, folder, { recursive: true });
  const layout = readFileSync(`${folder}/${LAYOUT}`, "utf8");
  const changed = layout
    .replace("<Nudges />", "<NudgesWithNonce />")
    .replace(`{ Nudges } from "@/ui/nudges"`, `{ NudgesWithNonce } from "@/ui/nudges-with-nonce"`);
  write(`${folder}/${LAYOUT}`, changed);
}

function next(folder: string, kind: Kind, ...args: string[]): ChildProcess {
  const env = {
    ...process.env,
    NEXT_TELEMETRY_DISABLED: "1",
    ...(kind === "nonce" && { SHOP_HAS_NONCE: "1" }),
  };
  return spawn(process.execPath, [NEXT, ...args], {
    cwd: folder,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
}

function finished(child: ChildProcess): Promise<void> {
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (data) => said.push(String(data)));
  return new Promise((resolve, reject) => {
    child.on("exit", (code) => (code === 0 ? resolve() : reject(new Error(said.join("")))));
  });
}

/** Next.js says where it listens, in the terminal. */
function originOf(child: ChildProcess): Promise<string> {
  let said = "";
  return new Promise((resolve, reject) => {
    child.stdout?.on("data", (data) => {
      said += data;
      const [origin] = /http:\/\/127\.0\.0\.1:\d+/.exec(said) ?? [];
      if (origin && said.includes("Ready")) resolve(origin);
    });
    child.on("exit", () => reject(new Error(`Next.js ended: ${said}`)));
  });
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/**
 * Chromium with nobody listening in. A test's browser reports every request and every context to the
 * test, on the page's own main thread, which costs more there than the widget does.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { FLAGS } from "../hosts/chromium.ts";

type Answer = Record<string, unknown>;
interface Message {
  id?: number;
  method?: string;
  params?: Answer;
  result?: Answer;
  error?: { message: string };
}

export interface Chromium {
  send<T = Answer>(method: string, params?: object, sessionId?: string): Promise<T>;
  /** Calls back at each event of this name. */
  on(event: string, heard: (params: Answer) => void): void;
  close(): Promise<void>;
}

/** Starts it, and speaks the DevTools protocol over a pipe: messages end with a zero byte. */
export function startChromium(executable: string): Chromium {
  const folder = mkdtempSync(join(tmpdir(), "vitals-"));
  const flags = [
    ...FLAGS,
    "--headless=new",
    "--remote-debugging-pipe",
    `--user-data-dir=${folder}`,
  ];
  const process_ = spawn(executable, flags, {
    stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
  });
  const [, , , write, read] = process_.stdio as unknown as [null, null, null, Writable, Readable];
  const waiting = new Map<number, (message: Message) => void>();
  const listeners = new Map<string, (params: Answer) => void>();
  let last = 0;

  onMessages(read, (message) => {
    if (message.method) listeners.get(message.method)?.(message.params ?? {});
    waiting.get(message.id ?? 0)?.(message);
    waiting.delete(message.id ?? 0);
  });

  function send<T>(method: string, params: object = {}, sessionId?: string): Promise<T> {
    last += 1;
    const id = last;
    write.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    return new Promise((resolve, reject) => {
      waiting.set(id, ({ result, error }) =>
        error ? reject(new Error(`${method}: ${error.message}`)) : resolve(result as T),
      );
    });
  }

  return {
    send,
    on: (event, heard) => void listeners.set(event, heard),
    async close() {
      const gone = ended(process_);
      await send("Browser.close").catch(() => process_.kill());
      await gone;
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

const ended = (process_: ChildProcess) =>
  new Promise<void>((resolve) => process_.once("exit", () => resolve()));

function onMessages(read: Readable, heard: (message: Message) => void): void {
  let rest = "";
  read.setEncoding("utf8");
  read.on("data", (chunk: string) => {
    const parts = (rest + chunk).split("\0");
    rest = parts.pop() ?? "";
    for (const part of parts) heard(JSON.parse(part));
  });
}

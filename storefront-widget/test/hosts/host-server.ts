/** A shop's own server: its pages, and what saleor-nudges says, when it says anything sensible. */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { request as ask, createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { BASE, type Fixture } from "../browser/fixture-server.ts";
import type { Host } from "./hosts.ts";
import { attributesOf, type Shop } from "./shop.ts";

/** What can go wrong below BASE. */
export type Fault = "ERROR" | "GARBAGE" | "HANG" | "RESET" | "NONSENSE";

export interface HostServer {
  origin: string;
  shop: Shop;
  /** What goes wrong where; the first path that fits counts. */
  faults: [RegExp, Fault][];
  /** What `?preview=` is answered with, by its token; any other token is refused. */
  drafts: Map<string, unknown>;
  /** Paths below BASE that were asked for, with their query. */
  heard: string[];
  close(): Promise<void>;
}

const TYPES: Record<string, string> = {
  js: "text/javascript",
  css: "text/css",
  svg: "image/svg+xml",
};
const CHAIR = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 48" width="64" height="48"><g fill="none"
stroke="#8a5a33" stroke-width="2.4" stroke-linecap="round"><path d="M24 8v34M42 26v16M24 26h18M24 31h18M24 13h5v13"/></g></svg>`;

export async function startHost(
  host: Host,
  fixture: Fixture,
  code: ReadonlyMap<string, Uint8Array>,
): Promise<HostServer> {
  const shop: Shop = { language: "en", css: "", attributes: {}, changesAttributes: true };
  const started: HostServer = {
    origin: "",
    shop,
    faults: [],
    drafts: new Map(),
    heard: [],
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://127.0.0.1");
    if (pathname.startsWith(BASE)) below(request, response, started, fixture);
    else if (pathname === "/shop.css") send(response, "css", styles(shop));
    else if (pathname === "/chair.svg") send(response, "svg", CHAIR);
    else if (code.has(pathname)) send(response, "js", code.get(pathname) ?? "");
    else if (attributesOf(pathname)) sendPage(response, host, started, pathname);
    else response.writeHead(pathname === "/favicon.ico" ? 204 : 404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  started.origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return started;
}

const styles = ({ css }: Shop) => readFileSync("test/hosts/shop.css", "utf8") + css;

function send(response: ServerResponse, ending: string, body: string | Uint8Array): void {
  response.writeHead(200, { "Content-Type": TYPES[ending] ?? "" }).end(body);
}

function sendPage(response: ServerResponse, host: Host, started: HostServer, path: string): void {
  const { origin, shop } = started;
  // Another name is another site for the browser, though it is the same machine.
  const elsewhere = origin.replace("127.0.0.1", "localhost");
  const endpoint = (host.sameSite ? origin : elsewhere) + BASE;
  const asked = { path, shop, endpoint, nonce: randomBytes(12).toString("base64url") };
  const policy = host.policy(asked);
  response.writeHead(200, {
    "Content-Type": "text/html",
    ...(policy && { "Content-Security-Policy": policy }),
  });
  response.end(host.page(asked));
}

function below(
  request: IncomingMessage,
  response: ServerResponse,
  { heard, faults, drafts }: HostServer,
  fixture: Fixture,
): void {
  const path = (request.url ?? "").replace(BASE, "");
  heard.push(path);
  response.setHeader("Access-Control-Allow-Origin", "*");
  const fault = faults.find(([where]) => where.test(path))?.[1];
  const preview = new URLSearchParams(path.split("?")[1]).get("preview");
  if (fault) fail(response, fault);
  else if (preview) answerDraft(response, fixture, drafts.get(preview));
  else pass(request, response, fixture);
}

/** An answer as the fixture gives it, to a page that may be of another site. */
function pass(request: IncomingMessage, response: ServerResponse, { origin }: Fixture): void {
  const { method, headers, url } = request;
  const onward = ask(origin + url, { method: method ?? "GET", headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  onward.on("error", () => response.destroy());
  request.pipe(onward);
}

function answerDraft(response: ServerResponse, { display }: Fixture, nudge: unknown): void {
  const body = { nudges: [nudge], display, pollAfter: null, preview: true, sample: false };
  const refusal = { error: { code: "BAD_SIGNATURE" } };
  response.writeHead(nudge ? 200 : 401, JSON_TYPE).end(JSON.stringify(nudge ? body : refusal));
}

const JSON_TYPE = { "Content-Type": "application/json" };
const ANSWERS: Partial<Record<Fault, [number, string]>> = {
  ERROR: [500, `{"code":"INTERNAL"}`],
  GARBAGE: [200, `<!doctype html>{"nudges":[`],
  NONSENSE: [
    200,
    `{"nudges":[null,7,{"id":{},"text":[],"product":4,"slot":"TOAST","image":{},"evidence":5}],"display":{"enabled":true,"devices":3,"position":null,"initialDelay":"soon","consentMode":"OPT_OUT"},"withdrawn":"all","pollAfter":-1,"token":5,"expiresAt":[],"language":9,"about":false}`,
  ],
};

function fail(response: ServerResponse, fault: Fault): void {
  const answer = ANSWERS[fault];
  if (answer) response.writeHead(answer[0], JSON_TYPE).end(answer[1]);
  else if (fault === "RESET") response.destroy();
  // HANG: whoever asked waits until they lose patience.
}

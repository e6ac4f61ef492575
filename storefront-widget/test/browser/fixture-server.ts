/** A shop's page and the widget's server, small enough to read, on 127.0.0.1. */
import { existsSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import type { Display, Nudge, ShopperEvent } from "../../src/types.ts";

/** As inside Saleor: not at the root, so that the endpoint really comes from the script's address. */
export const BASE = "/plugins/global/saleor-nudges/";
/** The strictest policy a shop can have and still show its own scripts and pictures. */
const POLICY =
  "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self'; style-src 'self'; base-uri 'none'";

export interface Batch {
  type: string;
  token?: string;
  channel: string;
  checkout?: string;
  events: ShopperEvent[];
}

export interface Fixture {
  origin: string;
  nudges: Nudge[];
  display: Display;
  pollAfter: number | null;
  /** Which of the ids that are said to be shown must go; null: a server that cannot tell. */
  withdrawn: string[] | null;
  /** What is answered to `GET v1/words`; null: 500. */
  words: Record<string, unknown> | null;
  /** The `languageCode` of each request for words. */
  askedWords: string[];
  /** What is answered to `POST v1/events`, in turn; 202 when empty. */
  refusals: number[];
  /** True: sessions and nudges are answered 500. */
  away: boolean;
  /** What nudges are answered with instead of 200. */
  refusal: number;
  /** Tokens that are answered 401, as after the server's keys have changed. */
  unknownTokens: string[];
  /** True: what the browser itself says of refused requests is not counted as an error. */
  expectsRefusals: boolean;
  /** True: what the page is warned of is kept in `warnings`, and not counted as an error. */
  expectsWarnings: boolean;
  warnings: string[];
  /** Seconds that refusals ask to be left alone for. */
  retryAfter: string;
  /** The tag or element at the end of the page. */
  tag: string;
  css: string;
  /** What stands on the page before the tag. */
  body: string;
  sessions: string[];
  /** Requests for the settings alone. */
  settings: URLSearchParams[];
  asked: URLSearchParams[];
  /** The moment of each of `asked`, in milliseconds. */
  askedAt: number[];
  /** All addresses that anything was sent to. */
  heard: string[];
  /** The Referer of each request below BASE, if there was one. */
  referers: string[];
  /** And its cookies. */
  cookies: string[];
  /** Milliseconds that a new session takes. */
  sessionTakes: number;
  batches: Batch[];
  /** All events that were accepted. */
  events(): ShopperEvent[];
  close(): Promise<void>;
}

export function nudge(id: string, more: Partial<Nudge> = {}): Nudge {
  return {
    id,
    type: "ORDER",
    category: "RECENT_PURCHASE",
    tag: null,
    title: `Nudge ${id}`,
    text: "Someone in Lisbon bought this chair.",
    product: { id: "UHJvZHVjdDox", name: "Oak chair", slug: "oak-chair" },
    image: null,
    icon: "M3 17l6-6 4 4 8-8M15 7h6v6",
    href: null,
    occurredAt: null,
    showTime: true,
    highlight: null,
    evidence: { metric: "ORDER", value: 1 },
    slot: "TOAST",
    ...more,
  };
}

/** A seller in a hurry: all times short enough for a test. */
export function display(more: Partial<Display> = {}): Display {
  return {
    enabled: true,
    position: { desktop: "BOTTOM_LEFT", mobile: "BOTTOM" },
    theme: "LIGHT",
    highlight: null,
    initialDelay: 0.1,
    gap: 0.1,
    duration: 30,
    maxPerPage: 3,
    maxPerSession: 10,
    devices: ["DESKTOP", "ANDROID", "IOS", "OTHER"],
    quietInCheckout: true,
    consentMode: "OPT_OUT",
    capturesContact: false,
    ...more,
  };
}

/** The server's words, in English. */
export const WORDS = {
  language: "en",
  close: "Close",
  withdrawn: "No longer true",
  why: "Why am I seeing this?",
  less: "No more of these",
  off: "Nothing at all",
  counted: "Counted at {time}.",
  preview: "Preview",
  about: { ORDER: "A purchase in this shop, told without a name." },
};

/** The script's files, as they were when the tests began: someone may be building anew. */
const built = new Map<string, Buffer>();

function builtFile(path: string): Buffer | undefined {
  if (!built.has(path) && existsSync(path)) built.set(path, readFileSync(path));
  return built.get(path);
}

/** The ids that a request leaves out: what was shown and what was closed, which may be the same. */
export function excluded(asked?: URLSearchParams): string[] {
  return [...new Set((asked?.get("exclude") ?? "").split(","))].filter(Boolean);
}

export async function startFixture(script: string): Promise<Fixture> {
  const fixture: Fixture = {
    origin: "",
    nudges: [nudge("n0000001")],
    display: display(),
    pollAfter: null,
    withdrawn: null,
    words: WORDS,
    askedWords: [],
    refusals: [],
    away: false,
    refusal: 0,
    unknownTokens: [],
    expectsRefusals: false,
    expectsWarnings: false,
    warnings: [],
    retryAfter: "",
    tag: `<script src="${BASE}v1/widget.js" data-channel="default-channel" data-product="UHJvZHVjdDox" async></script>`,
    css: "body { font-family: sans-serif; margin: 24px }",
    body: "",
    sessions: [],
    settings: [],
    asked: [],
    askedAt: [],
    heard: [],
    referers: [],
    cookies: [],
    sessionTakes: 0,
    batches: [],
    events: () => fixture.batches.flatMap((batch) => batch.events),
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? "/", "http://127.0.0.1");
    const path = url.pathname.replace(BASE, "");
    const file = /^v1\/(widget(?:\/[\w.-]+)?\.js)$/.exec(path)?.[1];
    if (path !== url.pathname && !file && path !== "v1/words") {
      fixture.heard.push(path);
      fixture.referers.push(request.headers.referer ?? "");
      fixture.cookies.push(request.headers.cookie ?? "");
    }
    const body = await bodyOf(request);
    const status = fixture.away ? 500 : 200;
    if (fixture.refusal && path === "v1/nudges") {
      fixture.asked.push(url.searchParams);
      if (fixture.retryAfter) response.setHeader("Retry-After", fixture.retryAfter);
      reply(response, fixture.refusal, "{}");
      return;
    }
    const stale = (token: string | null) => fixture.unknownTokens.includes(token ?? "");
    if (file) sendFile(response, join(dirname(script), file));
    else if (path === "v1/words") sendWords(fixture, response, url.searchParams);
    else if (path === "v1/session") {
      await new Promise((resolve) => setTimeout(resolve, fixture.sessionTakes));
      reply(response, status, session(fixture, body));
    } else if (path === "v1/nudges" && stale(url.searchParams.get("token")))
      reply(response, 401, "{}");
    else if (path === "v1/nudges") reply(response, status, feed(fixture, url.searchParams));
    else if (path === "v1/events" && stale(JSON.parse(body).token)) reply(response, 401, "{}");
    else if (path === "v1/events") takeEvents(fixture, request, response, body);
    else if (path === "/shop.css") reply(response, 200, fixture.css, "text/css");
    else if (path === "/chair.svg") reply(response, 200, CHAIR, "image/svg+xml");
    else if (path === "/favicon.ico") reply(response, 204, "");
    else reply(response, 200, page(fixture), "text/html");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  fixture.origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return fixture;
}

function sendFile(response: ServerResponse, path: string): void {
  const file = builtFile(path);
  reply(response, file ? 200 : 404, file ?? "", "text/javascript");
}

function sendWords(fixture: Fixture, response: ServerResponse, asked: URLSearchParams): void {
  fixture.askedWords.push(asked.get("languageCode") ?? "");
  reply(response, fixture.words ? 200 : 500, JSON.stringify(fixture.words ?? {}));
}

function session(fixture: Fixture, body: string): string {
  fixture.sessions.push(body);
  const expiresAt = new Date(Date.now() + 86_400_000).toISOString();
  return JSON.stringify({ token: `token-${fixture.sessions.length}`, expiresAt });
}

function feed(fixture: Fixture, asked: URLSearchParams): string {
  const { display, pollAfter } = fixture;
  if (asked.get("count") === "0") {
    fixture.settings.push(asked);
    return JSON.stringify({ nudges: [], display, pollAfter });
  }
  fixture.asked.push(asked);
  fixture.askedAt.push(Date.now());
  const named = (name: string) => (asked.get(name) ?? "").split(",");
  const nudges = fixture.nudges.filter(({ id }) => !named("exclude").includes(id));
  const withdrawn = fixture.withdrawn?.filter((id) => named("shown").includes(id));
  return JSON.stringify({ nudges, display, withdrawn, pollAfter });
}

function takeEvents(
  fixture: Fixture,
  request: IncomingMessage,
  response: ServerResponse,
  body: string,
): void {
  const status = fixture.refusals.shift();
  if (status) {
    response.setHeader("Retry-After", "1");
    reply(response, status, "{}");
    return;
  }
  const batch = JSON.parse(body);
  // As the server: one event that is none, and all are refused.
  if (batch.events.some((event: ShopperEvent | null) => !event?.id)) {
    reply(response, 400, "{}");
    return;
  }
  fixture.batches.push({ type: request.headers["content-type"] ?? "", ...batch });
  reply(response, 202, JSON.stringify({ accepted: 1, rejected: [] }));
}

function page({ tag, body }: Fixture): string {
  return `<!doctype html><html lang="en"><head><title>A shop</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/shop.css"></head>
<body><h1>Oak chair</h1><input id="search" autofocus>${body}<p id="last">The end</p>${tag}</body></html>`;
}

function reply(response: ServerResponse, status: number, body: string | Buffer, type?: string) {
  response.writeHead(status, {
    "Content-Type": type ?? "application/json",
    "Content-Security-Policy": POLICY,
  });
  response.end(body);
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

const CHAIR = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><rect width="64" height="64" fill="#eadfce"/>
<g fill="none" stroke="#8a5a33" stroke-width="3" stroke-linecap="round"><path d="M22 14v38M42 34v18M22 34h20M22 40h20M22 20h6v14h-6"/></g></svg>`;

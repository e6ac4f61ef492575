/** A shop on one origin and saleor-nudges on another, as it is in most shops. */
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
  request as send,
} from "node:http";
import type { AddressInfo } from "node:net";
import { after } from "node:test";
import { BASE, type Fixture, startFixture } from "../browser/fixture-server.ts";

const TYPES: Record<string, string> = {
  html: "text/html",
  css: "text/css",
  js: "text/javascript",
};

/** Ended with the file, whatever became of its tests: what still listens would keep it from ending. */
const endings: (() => unknown)[] = [];
after(() => Promise.all(endings.map((end) => end())));

/** Files by their path; the ending says what they are. */
export type Files = Record<string, string>;

/** Pages that stay where they are; answers with their origin. */
export function serveShop(
  files: (origin: string) => Files,
  headers: Record<string, string> = {},
): Promise<string> {
  const serving = listen((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://127.0.0.1");
    const body = files(`http://${request.headers.host}`)[pathname];
    const type = TYPES[pathname.split(".")[1] ?? "html"] ?? "";
    response.writeHead(body === undefined ? 204 : 200, { "Content-Type": type, ...headers });
    response.end(body);
  });
  return serving;
}

/** saleor-nudges on an origin of its own, which every shop may ask. */
export async function serveNudges(): Promise<{ nudges: string; fixture: Fixture }> {
  const fixture = await startFixture("dist/widget.js");
  endings.push(() => fixture.close());
  const nudges = await listen((request, response) => pass(request, response, fixture.origin));
  return { nudges, fixture };
}

function pass(request: IncomingMessage, response: ServerResponse, to: string): void {
  const cors = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "content-type",
  };
  const { url = "", method = "", headers } = request;
  if (!url.startsWith(BASE)) return void response.writeHead(404).end();
  if (method === "OPTIONS") return void response.writeHead(204, cors).end();
  const passed = send(to + url, { method, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 500, { ...answer.headers, ...cors });
    answer.pipe(response);
  });
  request.pipe(passed);
}

async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  endings.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

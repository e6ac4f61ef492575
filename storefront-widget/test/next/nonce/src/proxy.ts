import { type NextRequest, NextResponse } from "next/server";

/** A policy that lets in only what carries this answer's nonce. */
export function proxy(request: NextRequest): NextResponse {
  const nonce = btoa(crypto.randomUUID());
  const policy = [
    "default-src 'self'",
    `script-src 'nonce-${nonce}'`,
    `connect-src 'self' ${process.env.NEXT_PUBLIC_NUDGES_URL}`,
    "style-src 'self'",
    "base-uri 'none'",
  ].join("; ");
  const headers = new Headers(request.headers);
  headers.set("x-nonce", nonce);
  headers.set("Content-Security-Policy", policy);
  const response = NextResponse.next({ request: { headers } });
  response.headers.set("Content-Security-Policy", policy);
  return response;
}

export const config = { matcher: ["/:locale/:channel"] };

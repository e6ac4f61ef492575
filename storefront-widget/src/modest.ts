/**
 * For every request: no cookies, and not the page's whole address, which in a checkout is a secret
 * that must not be told, not even to the shop's own server.
 */
export const MODEST: RequestInit = { credentials: "omit", referrerPolicy: "origin" };

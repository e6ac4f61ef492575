/** What the server answers; rejects with its refusal, or with why there is no answer. */
export async function request<Given>(address: string, body?: object): Promise<Given> {
  const response = await fetch(address, {
    // As of modest.ts; written out, it is smaller.
    referrerPolicy: "origin",
    credentials: "omit",
    // A plain string is sent as text/plain: a request that needs no CORS preflight.
    // What is told goes on its way though the page may be gone; a beacon would tell its address.
    ...(body && { method: "POST", keepalive: true, body: JSON.stringify(body) }),
  });
  if (!response.ok) throw response;
  return response.json();
}

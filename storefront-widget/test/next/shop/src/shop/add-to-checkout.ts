"use server";

import { cookies } from "next/headers";

/** As Paper: the browser learns of its checkout by a cookie that scripts may read. */
export async function addToCheckout(channel: string): Promise<void> {
  (await cookies()).set(`checkoutId-${channel}`, "Q2hlY2tvdXQ6MQ==", { sameSite: "lax" });
}

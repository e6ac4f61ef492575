/** What is only needed once there may be a checkout. */
import { checkoutHash } from "./checkout-hash.ts";
import { isCart, isCheckout } from "./is-checkout.ts";
import type { Answer, Sender, Visit } from "./types.ts";
import { watchContact } from "./watch-contact.ts";
import { watchExit } from "./watch-exit.ts";

const watched = new WeakSet<Visit>();

/**
 * Called before each request: names the checkout of this moment, and watches the pages that lead to
 * an order. `agreed` gives the latest answer, where the visitor agreed.
 */
export async function watch(visit: Visit, sender: Sender, agreed: () => unknown): Promise<void> {
  const { options } = visit;
  if (!watched.has(visit)) {
    watched.add(visit);
    const atCheckout = isCheckout(options, location.pathname);
    if (atCheckout || isCart(options)) watchExit(visit);
    if (atCheckout)
      watchContact(visit, () => {
        const answer = agreed() as Answer | undefined;
        return answer?.display?.capturesContact && sender.checkout;
      });
  }
  sender.checkout = await checkoutHash(options);
}

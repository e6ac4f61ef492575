/** The code of the shops whose pages are HTML. */
import { addToBag } from "./buy.ts";

document.addEventListener("click", ({ target }) => {
  const button = target instanceof Element ? target.closest<HTMLElement>("#buy") : null;
  if (button) addToBag(button.dataset.product ?? "", button.dataset.variant ?? "");
});

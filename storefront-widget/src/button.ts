import { element } from "./element.ts";
import { icon } from "./icon.ts";

/** A button that says what it does. */
export function button(part: string, label: string, act: () => void): HTMLButtonElement {
  const drawn = element("button", part);
  drawn.type = "button";
  drawn.textContent = label;
  drawn.onclick = act;
  return drawn;
}

/** A button that shows what it does, and says it to those who cannot see it. */
export function iconButton(
  part: string,
  path: string,
  label: string,
  act: () => void,
): HTMLButtonElement {
  const drawn = button(part, "", act);
  drawn.setAttribute("aria-label", label);
  drawn.append(icon(path));
  return drawn;
}

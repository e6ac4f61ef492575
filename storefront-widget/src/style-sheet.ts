import css from "./nudge.css";

let made: CSSStyleSheet | undefined;

/** How nudges look, wherever they stand: made once, when the first needs it. */
export function styleSheet(): CSSStyleSheet {
  if (!made) {
    made = new CSSStyleSheet();
    made.replaceSync(css);
  }
  return made;
}

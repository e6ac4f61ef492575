import type { Visit } from "./types.ts";

/** Once on a page: the pointer leaves through the top edge, or what is touched is put away. */
export function watchExit(visit: Visit): void {
  let told = false;

  function leaving(): void {
    if (told || visit.over) return;
    told = true;
    visit.report("exit_intent");
    visit.element.dispatchEvent(
      new CustomEvent("nudges:exit-intent", { bubbles: true, composed: true }),
    );
  }

  document.documentElement.addEventListener("mouseleave", ({ clientY }) => {
    if (clientY <= 0) leaving();
  });
  document.addEventListener(
    "visibilitychange",
    () => {
      if (document.hidden && matchMedia("(hover: none)").matches) leaving();
    },
    // Before the loader hands over what waits.
    true,
  );
}

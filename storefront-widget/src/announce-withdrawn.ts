import type { Nudge } from "./types.ts";

/** Tells those who hear the page what was taken back, once and when they are not busy. */
export function announceWithdrawn(root: ShadowRoot, label: string, gone: Nudge[]): void {
  if (gone.length === 0) return;
  const names = new Set(gone.map(({ title, text }) => title || text));
  root.querySelector(".announcer")?.replaceChildren(`${label}: ${[...names].join(", ")}`);
}

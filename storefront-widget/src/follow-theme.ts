import type { Display } from "./types.ts";

/** Dresses a toast light or dark: as the seller chose, or as the shopper's screen is at any moment. */
export function followTheme(toast: HTMLElement, { theme }: Display, signal: AbortSignal): void {
  const screen = matchMedia("(prefers-color-scheme: dark)");
  const dress = () =>
    toast.classList.toggle("dark", theme === "AUTO" ? screen.matches : theme === "DARK");
  screen.addEventListener("change", dress, { signal });
  dress();
}

/** An app around the snippet: what was answered to its own question, and where links lead. */
import { type ComponentType, createElement, useState } from "react";
import { createRoot } from "react-dom/client";

interface Snippet {
  NudgesView: ComponentType<{ source: unknown; agreed: boolean; open(url: string): void }>;
  pageOf(product: string, channel: string): unknown;
}

interface App {
  /** The screen to open: a page of the shop's by its address, or a native one. */
  screen: string | null;
  agree(agreed: boolean): void;
  opened: string[];
}

const app = window as unknown as App;
app.opened = [];

export function start({ NudgesView, pageOf }: Snippet): void {
  const source = app.screen ? { uri: app.screen } : pageOf("UHJvZHVjdDox", "default-channel");
  function Screen() {
    const [agreed, setAgreed] = useState(false);
    app.agree = setAgreed;
    return createElement(NudgesView, { source, agreed, open: (url) => app.opened.push(url) });
  }
  const root = document.querySelector("#app");
  if (root) createRoot(root).render(createElement(Screen));
}

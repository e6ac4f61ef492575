import { ATTRIBUTES, readOptions } from "./options.ts";
import { runWidget, type Widget } from "./run-widget.ts";
import { running } from "./running.ts";
import { styleSheet } from "./style-sheet.ts";
import type { Options } from "./types.ts";

const TAG = "saleor-nudges";

/**
 * Defines `<saleor-nudges>`, once. Where there is no browser (a server that renders) it does nothing.
 * What is given stands in for the attribute of that name, in elements that do not have it.
 */
export function defineElement(endpoint: string | null = null, consent: string | null = null): void {
  if (typeof customElements === "undefined" || customElements.get(TAG)) return;
  // Browsers of before 2023: without a style sheet of our own we would break the page's looks.
  if (!("adoptedStyleSheets" in Document.prototype)) return;
  customElements.define(TAG, elementClass({ endpoint, consent }));
}

/** A class made when asked for: HTMLElement does not exist where there is no browser. */
function elementClass(defaults: Record<string, string | null>): CustomElementConstructor {
  return class SaleorNudgesElement extends HTMLElement {
    static observedAttributes = ATTRIBUTES;
    #root = this.attachShadow({ mode: "open" });
    #widget: Widget | null = null;
    #due = false;

    connectedCallback(): void {
      this.#root.adoptedStyleSheets = [styleSheet()];
      this.#root.replaceChildren(announcer());
      running.add(this);
      this.#startOver();
    }

    disconnectedCallback(): void {
      running.remove(this);
      this.#leave();
    }

    /** Another page in a shop that does not reload. */
    attributeChangedCallback(_name: string, before: string | null, now: string | null): void {
      if (this.isConnected && before !== now) this.#startOver();
    }

    /** Once, when all attributes are set: frameworks set them one by one, some after connecting. */
    #startOver(): void {
      if (this.#due) return;
      this.#due = true;
      queueMicrotask(() => {
        this.#due = false;
        this.#leave();
        this.resume();
      });
    }

    #leave(): void {
      this.#widget?.leave();
      this.#widget = null;
    }

    track(kind: string, data?: Record<string, unknown>): void {
      this.#widget?.track(kind, data);
    }

    stop(): void {
      this.#widget?.stop();
      this.#widget = null;
    }

    resume(): void {
      if (!this.isConnected || running.stopped()) return;
      const options = readOptions(
        (name) => this.getAttribute(name) ?? defaults[name] ?? null,
        document.baseURI,
      );
      if (options) this.#run(options);
      else console.warn("saleor-nudges: no channel, or no endpoint to ask.");
    }

    #run(options: Options): void {
      const agreed = running.agreed() || options.consent === "GIVEN";
      if (!agreed && options.consent === "REQUIRED") return;
      if (this.#widget && !(agreed && this.#widget.waits())) return;
      this.#widget?.leave();
      this.#widget = runWidget(this, this.#root, options, agreed);
    }
  };
}

/** Says a nudge once, politely. Apart from the toast, whose ticking time would be read out again. */
function announcer(): HTMLElement {
  const region = document.createElement("div");
  region.className = "announcer";
  region.setAttribute("role", "status");
  return region;
}

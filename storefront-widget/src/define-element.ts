import { ATTRIBUTES, readOptions } from "./options.ts";
import { runWidget, type Widget } from "./run-widget.ts";
import { running } from "./running.ts";
import css from "./toast.css";

const TAG = "saleor-nudges";

/** Defines `<saleor-nudges>`, once. Where there is no browser (a server that renders) it does nothing. */
export function defineElement(defaultEndpoint: string | null = null): void {
  if (typeof customElements === "undefined" || customElements.get(TAG)) return;
  // Browsers of before 2023: without a style sheet of our own we would break the page's looks.
  if (!("adoptedStyleSheets" in Document.prototype)) return;
  customElements.define(TAG, elementClass(defaultEndpoint));
}

/** A class made when asked for: HTMLElement does not exist where there is no browser. */
function elementClass(defaultEndpoint: string | null): CustomElementConstructor {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);

  return class SaleorNudgesElement extends HTMLElement {
    static observedAttributes = ATTRIBUTES;
    #root = this.attachShadow({ mode: "open" });
    #widget: Widget | null = null;
    #due = false;

    connectedCallback(): void {
      this.#root.adoptedStyleSheets = [sheet];
      this.#root.replaceChildren(announcer());
      running.add(this);
      this.#startOver();
    }

    disconnectedCallback(): void {
      running.remove(this);
      this.stop();
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
        this.stop();
        this.resume();
      });
    }

    track(kind: string, data?: Record<string, unknown>): void {
      this.#widget?.track(kind, data);
    }

    stop(): void {
      this.#widget?.stop();
      this.#widget = null;
    }

    resume(): void {
      if (this.#widget || !this.isConnected || running.stopped()) return;
      const read = (name: string) => this.getAttribute(name);
      const options = readOptions(read, defaultEndpoint, document.baseURI);
      if (options) this.#widget = runWidget(this, this.#root, options);
      else console.warn("saleor-nudges: no channel, or no endpoint to ask.");
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

/** The script tag's entry: defines the element and, if the tag names a channel, puts one on the page. */
import { defineElement } from "./define-element.ts";
import { endpointOfScript } from "./endpoint-of-script.ts";
import { placeElement } from "./place-element.ts";
import { makeReady } from "./running.ts";

const script = document.currentScript;

// A page may load us twice: the second time changes nothing.
if (!window.saleorNudges && script instanceof HTMLScriptElement) {
  const { endpoint, consent } = script.dataset;
  defineElement(endpoint ?? endpointOfScript(script.src), consent);
  placeElement(script);
  makeReady();
}

/** Stands in for react-native-webview: hands what it is told to the test, which has the real page. */
import { createElement, type Ref, useEffect, useImperativeHandle } from "react";

interface Props {
  ref?: Ref<WebView>;
  source: { html?: string; uri?: string; baseUrl?: string };
  injectedJavaScriptBeforeContentLoaded: string;
  injectedJavaScript: string;
  onMessage(event: { nativeEvent: { data: string } }): void;
}

interface WebView {
  injectJavaScript(script: string): void;
}

/** What the test's side of the app offers. */
interface Phone {
  load(page: Pick<Props, "source"> & { before: string; after: string }): void;
  inject(script: string): void;
  receive?: (data: string) => void;
}

const phone = window as unknown as Phone;

export function WebView({ ref, source, onMessage, ...scripts }: Props) {
  const { injectedJavaScriptBeforeContentLoaded: before, injectedJavaScript: after } = scripts;
  useImperativeHandle(ref, () => ({ injectJavaScript: (script) => void phone.inject(script) }));
  // biome-ignore lint/correctness/useExhaustiveDependencies: a page is loaded once, as in the app.
  useEffect(() => void phone.load({ source, before, after }), []);
  useEffect(() => {
    phone.receive = (data) => onMessage({ nativeEvent: { data } });
  });
  return createElement("div");
}

/** Where the script came from is where its server answers: `https://shop/…/v1/widget.js` without its end. */
export function endpointOfScript(src: string): string | null {
  const path = src.replace(/[?#].*$/, "");
  return /\/v1\/widget\.js$/.test(path) ? path.replace(/v1\/widget\.js$/, "") : null;
}

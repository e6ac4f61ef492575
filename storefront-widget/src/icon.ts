const SVG = "http://www.w3.org/2000/svg";

/** Line drawings on a grid of 24, for nudges without a picture: one for a kind, or its category. */
const PATHS: Record<string, string> = {
  // A speech bubble.
  PRODUCT_REVIEW: "M4 5h16v11H9l-5 4Z",
  // A shopping bag.
  RECENT_PURCHASE: "M6 8h12l1 12H5L6 8Zm3 0V7a3 3 0 0 1 6 0v1",
  // An eye.
  POPULARITY: "M2 12s4-7 10-7 10 7 10 7-4 7-10 7-10-7-10-7ZM12 9a3 3 0 1 1 0 6 3 3 0 0 1 0-6",
  // A line that climbs.
  RECENT_SUMMARY: "M3 17l6-6 4 4 8-8M15 7h6v6",
  // An hourglass.
  FRICTION: "M7 3h10M7 21h10M8 3v4l4 5 4-5V3M8 21v-4l4-5 4 5v4",
  CLOSE: "M7 7l10 10M17 7 7 17",
};

/** One drawing, in the colour of the text around it and unknown to screen readers. */
export function icon(name: string, otherwise = ""): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name] ?? PATHS[otherwise] ?? PATHS.RECENT_SUMMARY ?? "");
  svg.append(path);
  return svg;
}

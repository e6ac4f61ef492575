/** An element with one name, for our style sheet (class) and for the shop's (`::part`). */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  part: string,
  ...children: Node[]
): HTMLElementTagNameMap[Tag] {
  const drawn = document.createElement(tag);
  drawn.className = part;
  drawn.setAttribute("part", part);
  drawn.append(...children);
  return drawn;
}

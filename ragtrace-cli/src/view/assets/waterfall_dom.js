// Elements. Whatever was recorded is set as text here, and never as markup.

const SVG = "http://www.w3.org/2000/svg";

/** An element. A property that is a function listens to the event of its name. */
export function element(tag, properties = {}, ...children) {
  return fill(document.createElement(tag), properties, children);
}

/** An element of SVG, whose attributes place it: the page's policy forbids style attributes. */
export function svg(tag, properties = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), properties, children);
}

function fill(made, properties, children) {
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (typeof value === "function") made.addEventListener(key, value);
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child || child === 0));
  return made;
}

/** A change of text that touches the document only if there is one. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** A change of an attribute that touches the document only if there is one; `undefined` removes it. */
export function setAttribute(node, name, value) {
  if (value === undefined) node.removeAttribute(name);
  else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}

/** Has screen readers say a sentence, after what they say now. */
export function announce(text) {
  const region = document.querySelector("#trace-announcements");
  if (region) region.textContent = text;
}

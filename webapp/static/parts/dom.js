// Elements are made here alone: text is always text, never HTML.

const SVG = "http://www.w3.org/2000/svg";

/** Make an element; `on…` are listeners, `dataset` and booleans as in the DOM, all else attributes. */
export function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "dataset") Object.assign(element.dataset, value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** Make an element of a drawing; all properties are attributes. */
export function svg(tag, properties = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(properties)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Make an icon of style/icons.svg, for eyes alone. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `/static/style/icons.svg#${name}`);
  svg.append(use);
  return svg;
}

/** Make a button; `key` is shown beside its text, `iconName` before it; an icon alone has its text as its name. */
export function button(text, { run, key, iconName, kind = "", iconOnly = false, ...rest }) {
  const shown = iconOnly ? [] : [text];
  return el(
    "button",
    { type: "button", class: `button ${kind} ${iconOnly ? "is-icon" : ""}`, onclick: run, "aria-label": iconOnly ? text : null, title: iconOnly ? text : null, ...rest },
    iconName ? icon(iconName) : null,
    ...shown,
    key ? el("kbd", { "aria-hidden": "true" }, key) : null,
  );
}

/** Return whether letters typed now belong to a field. */
export function isTyping(target) {
  return target instanceof Element && target.closest("input:not([type=checkbox], [type=radio], [type=range]), textarea, select, [contenteditable]") !== null;
}

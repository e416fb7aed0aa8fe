// What every page begins with: a title with actions beside it, and what is shown where there is nothing.

import { el } from "./dom.js";
import { t } from "./words.js";

/** Make the head of a page; what is given beside the title stands to its right. */
export function pageHead(title, about, ...beside) {
  document.title = `${title} · ${t("app")}`;
  return el("header", { class: "page-head" }, el("div", { class: "titles" }, el("h1", {}, title), about ? el("p", { class: "quiet" }, about) : null), ...beside);
}

/** Make what stands where there is nothing to show. */
export function emptyState(title, text, ...more) {
  return el("div", { class: "empty" }, el("h2", {}, title), text ? el("p", { class: "quiet" }, text) : null, ...more);
}

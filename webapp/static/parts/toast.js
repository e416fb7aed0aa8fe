// Toasts: what was just done, with undo beside it.

import { button, el } from "./dom.js";
import { hasWords, t } from "./words.js";

const SHOWN_MS = 8000;
const MOST = 3;

/** Show a line; `undo` is what its button does. */
export function toast(text, { undo = null, isError = false } = {}) {
  const place = document.getElementById("toasts");
  const element = el(
    "div",
    { class: `toast ${isError ? "is-error" : ""}` },
    el("span", {}, text),
    undo === null ? null : button(t("undo"), { kind: "is-plain", iconName: "undo", run: () => { element.remove(); undo(); } }),
    button(t("close"), { kind: "is-plain", iconName: "close", iconOnly: true, run: () => element.remove() }),
  );
  place.append(element);
  while (place.children.length > MOST) place.firstChild.remove();
  setTimeout(() => element.remove(), SHOWN_MS);
}

/** Show why something was not done, in words where there are some for its kind. */
export function toastError(error) {
  if (error.name === "AbortError") return;
  toast(explain(error), { isError: true });
}

/** Return why something was not done. */
export function explain(error) {
  const key = `error.${error.kind}`;
  return hasWords(key) ? t(key) : t("error.other", { message: error.message });
}

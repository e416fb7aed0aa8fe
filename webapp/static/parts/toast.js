// Toasts: what was just done, with undo beside it.

import { button, el } from "./dom.js";
import { hasWords, t } from "./words.js";

const SHOWN_MS = 12000;
const MOST = 3;

/** Show a line; `undo` is {text, run} of its button, `about` the decision told: what was said of it before goes. */
export function toast(text, { undo = null, isError = false, about = null } = {}) {
  const place = document.getElementById("toasts");
  if (about !== null) [...place.children].filter((one) => one.dataset.about === String(about)).forEach((one) => one.remove());
  const element = el(
    "div",
    { class: `toast ${isError ? "is-error" : ""}`, dataset: about === null ? {} : { about } },
    el("span", { class: "said" }, text),
    undo === null ? null : button(undo.text, { kind: "is-plain", iconName: "undo", run: () => { element.remove(); undo.run(); } }),
    button(t("close"), { kind: "is-plain", iconName: "close", iconOnly: true, run: () => element.remove() }),
  );
  place.append(element);
  while (place.children.length > MOST) place.firstChild.remove();
  // Not while somebody is about to press its button.
  const end = () => { if (element.matches(":hover, :focus-within")) setTimeout(end, SHOWN_MS); else element.remove(); };
  setTimeout(end, SHOWN_MS);
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

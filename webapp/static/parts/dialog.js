// Dialogs: one at a time, closed by Escape, focus goes back to where it was.

import { button, el } from "./dom.js";
import { t } from "./words.js";

let n = 0;

/**
 * Ask something; return a promise of whether it was confirmed.
 *
 * `body` is an element, `submit` the text of the button that confirms (none: there is nothing to confirm).
 * `isDanger` marks what cannot be taken back. `check` may refuse by returning false, and the dialog stays.
 */
export function openDialog({ title, body, submit = null, cancel = t("cancel"), check = () => true, isDanger = false }) {
  const before = document.activeElement;
  const id = `dialog-${(n += 1)}`;
  let isConfirmed = false;
  const form = el(
    "form",
    {
      method: "dialog",
      onsubmit: async (event) => {
        event.preventDefault();
        if (submit !== null && !(await check())) return;
        isConfirmed = submit !== null;
        dialog.close();
      },
    },
    el("h2", { id }, title),
    body,
    el(
      "div",
      { class: "actions" },
      button(cancel, { run: () => dialog.close() }),
      submit === null ? null : el("button", { class: `button ${isDanger ? "is-danger" : "is-main"}`, type: "submit" }, submit),
    ),
  );
  const dialog = el("dialog", { "aria-labelledby": id }, form);
  document.body.append(dialog);
  dialog.showModal();
  (dialog.querySelector("input") ?? dialog.querySelector("[type=submit]") ?? dialog.querySelector("button")).focus();
  dialog.querySelector("input[type=text]")?.select(); // what is typed takes the place of what stands there
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
      resolve(isConfirmed);
    });
  });
}

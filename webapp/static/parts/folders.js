// Choosing a folder of the server's machine, without typing its path.

import { api } from "./api.js";
import { openDialog } from "./dialog.js";
import { button, el } from "./dom.js";
import { explain } from "./toast.js";
import { t } from "./words.js";

/** Promise the path of a folder, null if none was chosen. */
export async function askFolder() {
  const path = el("input", { class: "field", "aria-label": t("folders.path"), spellcheck: "false", autocomplete: "off", onkeydown: (event) => { if (event.key === "Enter" && path.value !== shown) { event.preventDefault(); open(path.value); } } });
  let shown = ""; // Enter opens the folder that was typed, and takes the one that is open
  const list = el("ul", { class: "folder-list", "aria-label": t("folders.inside") });
  const problem = el("p", { role: "alert" });

  async function open(wanted) {
    try {
      const found = await api.post("/workspace/browse", { path: wanted });
      path.value = shown = found.path;
      problem.textContent = "";
      const join = (name) => (found.path.endsWith("/") ? found.path : `${found.path}/`) + name;
      const entry = (name, target) => el("li", {}, button(name, { kind: "is-plain", iconName: "folder", run: async () => { await open(target); (list.querySelector("button") ?? path).focus(); } }));
      list.replaceChildren(
        ...(found.parent === null ? [] : [entry(t("folders.up"), found.parent)]),
        ...found.folders.map((name) => entry(name, join(name))),
      );
    } catch (error) {
      problem.textContent = explain(error);
    }
  }

  await open("");
  const body = el("div", { class: "folder-choice" }, el("p", { class: "quiet" }, t("folders.text")), path, problem, list);
  const isChosen = await openDialog({ title: t("folders.title"), body, submit: t("folders.do"), check: async () => { await open(path.value); return problem.textContent === ""; } });
  return isChosen ? path.value : null;
}

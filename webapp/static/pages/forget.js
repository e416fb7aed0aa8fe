// Forget: what the workspace holds of somebody, and its removal after the name was typed once more.

import { api } from "../parts/api.js";
import { openDialog } from "../parts/dialog.js";
import { button, el } from "../parts/dom.js";
import { NameBox } from "../parts/name_box.js";
import { pageHead } from "../parts/page.js";
import { explain } from "../parts/toast.js";
import { formatNumber, hasWords, t } from "../parts/words.js";

/** Return in words how many of what a file holds; a kind without words of its own as the server calls it. */
function partOf({ kind, n }) {
  const key = `forget.kind.${kind.replaceAll(" ", "_")}`;
  return hasWords(key) ? t(key, { n }) : `${formatNumber(n)} ${kind}`;
}

const isSmall = (line) => line.startsWith("thumbnails/");

export async function show(main) {
  const box = new NameBox({ label: t("forget.who"), placeholder: t("forget.who"), onPick: () => look() });
  const result = el("section", { class: "forget-result", "aria-live": "polite" });

  const list = (title, lines) => (lines.length ? [el("section", {}, el("h3", {}, t(title)), el("ul", {}, ...lines.filter((line) => !isSmall(line)).map((line) => el("li", {}, line)), ...folded(lines.filter(isSmall).map((line) => el("li", {}, line)))))] : []);
  const held = ({ file, what }) => el("li", {}, el("strong", {}, file), el("span", { class: "quiet" }, what.map(partOf).join(", ")));

  /** The small pictures that the page has cut, in one line that opens. */
  const folded = (rows) => (rows.length ? [el("li", {}, el("details", {}, el("summary", {}, t("forget.pictures", { n: rows.length })), el("ul", {}, ...rows)))] : []);

  async function look() {
    const name = box.value;
    if (!name) return;
    box.input.blur(); // its list would cover what comes
    result.replaceChildren(el("p", { role: "status" }, t("forget.looking")));
    try {
      const { files, not_checked: unread } = await api.post("/forget/survey", { name });
      result.replaceChildren(
        el("h2", {}, t("forget.held", { name, n: files.length })),
        files.length ? button(t("forget.do", { name }), { kind: "is-danger", run: () => forget(name) }) : "",
        ...(files.length ? [el("ul", { class: "held" }, ...files.filter(({ file }) => !isSmall(file)).map(held), ...folded(files.filter(({ file }) => isSmall(file)).map(held)))] : []),
        ...list("forget.not_checked", unread),
      );
    } catch (error) {
      result.replaceChildren(el("p", { role: "alert" }, explain(error)));
    }
  }

  async function forget(name) {
    const typed = el("input", { class: "field", "aria-label": t("forget.confirm", { name }), autocomplete: "off" });
    const problem = el("p", { role: "alert" });
    const check = () => { problem.textContent = typed.value === name ? "" : t("forget.differs"); return typed.value === name; };
    const body = el("div", { class: "folder-choice" }, el("p", {}, t("forget.warning", { name })), el("p", {}, t("forget.confirm", { name })), typed, problem);
    if (!(await openDialog({ title: t("forget.title"), body, submit: t("forget.submit"), check, isDanger: true }))) return;
    result.replaceChildren(el("p", { role: "status" }, t("forget.working", { name })));
    try {
      const report = await api.post("/forget", { name, confirm: typed.value });
      result.replaceChildren(
        el("h2", {}, t("forget.done", { name })),
        ...list("forget.removed", report.removed.map(({ file, deleted }) => t(deleted ? "forget.was_deleted" : "forget.was_removed", { file }))),
        ...list("forget.by_hand", report.by_hand),
        ...list("forget.failures", report.failures),
        ...list("forget.left", report.left),
      );
      box.input.value = "";
    } catch (error) {
      result.replaceChildren(el("p", { role: "alert" }, explain(error)));
    }
  }

  box.element.addEventListener("keydown", (event) => { if (event.key === "Enter" && !event.defaultPrevented) { event.preventDefault(); look(); } });
  main.append(pageHead(t("forget.title"), t("forget.text")), el("div", { class: "forget-ask" }, box.element, button(t("forget.look"), { run: look })), result);
  box.input.focus();
  return { focus: () => box.input.focus() };
}

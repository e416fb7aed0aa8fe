// History: every decision, the newest first; each can be taken back.

import { api } from "../parts/api.js";
import { button, el } from "../parts/dom.js";
import * as edits from "../parts/edits.js";
import { setPageKeys } from "../parts/keys.js";
import { emptyState, pageHead } from "../parts/page.js";
import { formatMoment, t } from "../parts/words.js";

const PAGE = 100;

export async function show(main) {
  const list = el("ol", { class: "decisions" });
  const more = button(t("history.more"), { run: () => append() });
  const nothing = el("div");
  let oldest;

  async function append() {
    const { decisions, more: hasMore } = await api.get("/history", { before: oldest, limit: PAGE });
    list.append(...decisions.map(row));
    oldest = decisions.at(-1)?.id;
    more.hidden = !hasMore;
    nothing.replaceChildren(...(list.children.length ? [] : [emptyState(t("history.none"))]));
  }

  async function renew() {
    const place = document.activeElement?.closest(".decision")?.dataset.id;
    oldest = undefined;
    list.replaceChildren();
    await append();
    list.querySelector(`[data-id="${place}"] button`)?.focus();
  }

  function row(decision) {
    const what = edits.describe(decision);
    const undo = decision.root && !decision.again ? t("history.redo") : t("history.undo");
    const when = t("history.by", { when: formatMoment(decision.at), by: decision.by });
    return el(
      "li",
      { class: `decision ${decision.undone ? "is-undone" : ""}`, dataset: { id: decision.id } },
      el("span", { class: "what" }, what),
      el("span", { class: "when" }, when + (decision.undone ? ` · ${t("history.undone")}` : "")),
      decision.undone ? null : button(undo, { run: () => edits.undo(decision.id, renew), "aria-label": `${undo}: ${what}` }),
    );
  }

  main.append(
    pageHead(t("history.title"), t("history.text"), el("div", { class: "actions" }, button(t("undo"), { run: () => edits.undo(null, renew), key: "u" }), button(t("history.redo"), { run: () => edits.redo(renew), key: "e" }))),
    list,
    nothing,
    more,
  );
  setPageKeys([
    { key: "u", words: "key.undo", run: () => edits.undo(null, renew) },
    { key: "e", words: "history.redo", run: () => edits.redo(renew) },
  ]);
  await append();
}

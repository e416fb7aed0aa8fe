// People: everybody with their cover face; search, open, rename, merge, hide.

import { api } from "../parts/api.js";
import { askMerge, askRename, confirmMerge } from "../parts/ask.js";
import { el } from "../parts/dom.js";
import * as edits from "../parts/edits.js";
import { personTile } from "../parts/face.js";
import { Grid } from "../parts/grid.js";
import { setPageKeys } from "../parts/keys.js";
import { emptyState, pageHead } from "../parts/page.js";
import { t } from "../parts/words.js";

const BELOW = 52; // name and count below a picture, in pixels

export async function show(main) {
  const query = { q: "", hidden: false };
  const search = el("input", { class: "field", type: "search", placeholder: t("people.search"), "aria-label": t("people.search"), oninput: () => { query.q = search.value.trim(); renew(); } });
  const hidden = el("input", { type: "checkbox", onchange: () => { query.hidden = hidden.checked; renew(); } });
  const about = el("p", { class: "quiet", role: "status" });
  const nothing = el("div");
  const load = async (offset, limit) => {
    const { total, people } = await api.get("/people", { ...query, offset, limit });
    return { total, items: people };
  };
  const count = (person) => t("n_faces", { n: person.n_faces }) + (person.hidden ? ` · ${t("people.is_hidden")}` : "");
  const grid = new Grid({ load, render: (person) => draggable(personTile(person, count(person)), person, renew), label: t("people.list"), below: BELOW });

  async function renew() {
    if (!(await grid.reload())) return; // the later one says it
    about.textContent = t("n_people", { n: grid.total });
    nothing.replaceChildren(...(grid.total ? [] : [query.q ? emptyState(t("people.no_match")) : emptyState(t("people.none"), t("people.none_text"))]));
  }

  const head = pageHead(t("people.title"), null, el("label", { class: "check" }, hidden, t("people.hidden")), el("div", { class: "search" }, search));
  head.firstChild.append(about);
  main.append(head, grid.element, nothing);
  const onFocused = (action) => () => grid.focused && action(grid.focused, renew);
  setPageKeys([
    { key: "/", words: "key.search", run: () => search.focus() },
    { key: "Enter", words: "key.open" },
    { key: "r", words: "key.rename", run: onFocused(askRename) },
    { key: "m", words: "key.merge", run: onFocused(askMerge) },
    { key: "h", words: "key.hide", run: onFocused(edits.hide) },
    { key: "u", words: "key.undo", run: () => edits.undo(null, renew) },
  ]);
  search.addEventListener("keydown", (event) => { if (event.key === "ArrowDown" || event.key === "Enter") { event.preventDefault(); grid.focus(0); } });
  grid.start();
  await renew();
  return { stop: () => grid.stop(), focus: (index = 0) => grid.focus(index) };
}

let dragged = null;

/** Let a tile be dropped on another one: both are one person then. */
function draggable(tile, person, done) {
  const onto = (is) => tile.classList.toggle("is-target", is);
  const listeners = {
    dragstart: (event) => { dragged = person; event.dataTransfer.effectAllowed = "move"; event.dataTransfer.setData("text/plain", person.name); tile.classList.add("is-dragged"); },
    dragend: () => { dragged = null; tile.classList.remove("is-dragged"); },
    dragover: (event) => { if (dragged && dragged.id !== person.id) { event.preventDefault(); onto(true); } },
    dragleave: () => onto(false),
    drop: (event) => { event.preventDefault(); onto(false); if (dragged) confirmMerge(dragged, person, done); },
  };
  for (const [name, listener] of Object.entries(listeners)) tile.addEventListener(name, listener);
  return tile;
}

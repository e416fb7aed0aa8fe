// Person: all faces of one person; select some, give them another name, or say that they are somebody else.

import { api } from "../parts/api.js";
import { askMerge, askName, askRename } from "../parts/ask.js";
import { button, el, icon } from "../parts/dom.js";
import * as edits from "../parts/edits.js";
import { faceTile } from "../parts/face.js";
import { Grid } from "../parts/grid.js";
import { setPageKeys } from "../parts/keys.js";
import { emptyState, pageHead } from "../parts/page.js";
import { showWhy } from "../parts/why.js";
import { t } from "../parts/words.js";

export async function show(main, { person: id, go }) {
  let person = await api.get(`/people/${id}`);
  const head = el("div");
  const nothing = el("div");
  const chosen = el("span", { class: "chosen", role: "status" });
  const load = async (offset, limit) => {
    const { total, faces } = await api.get(`/people/${id}/faces`, { offset, limit });
    return { total, items: faces };
  };
  const grid = new Grid({
    load,
    render: (face, index) => faceTile(face, t("face", { n: index + 1 })),
    label: t("person.faces", person),
    isSelectable: true,
    onSelect: (n) => { bar.hidden = n === 0; chosen.textContent = n ? t("n_selected", { n }) : ""; },
  });

  /** Show what is true now; a person who has gone into another one leads there. */
  async function renew() {
    person = await api.get(`/people/${id}`);
    if (person.id !== Number(id)) { go(`/people/${person.id}`, { replace: true }); return; }
    drawHead();
    await grid.reload();
    nothing.replaceChildren(...(grid.total ? [] : [emptyState(t("person.no_faces", person), t("person.no_faces_text"))]));
  }

  function drawHead() {
    const about = t("faces_in_photos", { faces: t("n_faces", { n: person.n_faces }), photos: t("n_photos", { n: person.n_photos }) });
    const actions = el(
      "div",
      { class: "actions" },
      el("a", { class: "button", href: `/find?with=${person.id}` }, t("find.photos")),
      el("a", { class: "button", href: `/enrol?person=${person.id}` }, t("person.add_photos")),
      button(t("person.rename"), { run: () => askRename(person, renew), key: "r" }),
      button(t("person.merge"), { run: () => askMerge(person, renew), key: "m" }),
      button(t(person.hidden ? "person.show" : "person.hide"), { run: () => edits.hide(person, renew), key: "h" }),
    );
    head.replaceChildren(el("a", { class: "button is-plain", href: "/people" }, icon("back"), t("person.back")), pageHead(person.name, about, actions));
  }

  const decide = (what) => async () => {
    const faces = await grid.selectedItems();
    if (faces.length) await edits.decide(faces, what(), renew);
  };
  const move = async () => {
    const n = grid.selected.size;
    if (!n) return;
    const faces = await grid.selectedItems();
    const name = await askName({ title: t("move.title", { n }), label: t("move.label"), submit: t("move.do") });
    if (name !== null) await edits.decide(faces, { kind: "is", name }, renew);
  };
  const actions = [
    { key: "v", words: "key.move_faces", text: t("person.move"), run: move },
    { key: "n", words: "key.deny", text: t("person.deny", person), run: decide(() => ({ kind: "is_not", person: person.id })) },
    { key: "b", words: "key.nobody", text: t("person.nobody"), run: decide(() => ({ kind: "nobody" })) },
    { key: "w", words: "key.why", text: t("why.do"), run: async () => { const [face] = await grid.selectedItems(); if (face) await showWhy(face); } },
    { key: "x", words: "key.not_a_face", text: t("person.not_a_face"), run: decide(() => ({ kind: "not_a_face" })) },
  ];
  const bar = el(
    "div",
    { class: "selection-bar", role: "toolbar", "aria-label": t("key.select"), hidden: true },
    chosen,
    ...actions.map(({ key, text, run }) => button(text, { run, key })),
    button(t("person.clear"), { run: () => grid.select(new Set()), iconName: "close", iconOnly: true, kind: "is-plain" }),
  );

  main.append(head, grid.element, nothing, bar);
  setPageKeys([
    { key: " ", words: "key.select" },
    { key: "Shift", words: "key.range" },
    { key: "a", words: "key.all", run: () => grid.selectAll() },
    { key: "Escape", words: "key.none", run: () => grid.select(new Set()) },
    ...actions,
    { key: "e", words: "person.add_photos", run: () => go(`/enrol?person=${person.id}`) },
    { key: "r", words: "key.rename", run: () => askRename(person, renew) },
    { key: "m", words: "key.merge", run: () => askMerge(person, renew) },
    { key: "h", words: "key.hide", run: () => edits.hide(person, renew) },
    { key: "u", words: "key.undo", run: () => edits.undo(null, renew) },
    { key: "o", words: "photo.open", run: () => grid.focused && go(`/photos/${grid.focused.photo}?with=${person.id}`) },
    { key: "Backspace", words: "key.back", run: () => go("/people") },
  ]);
  drawHead();
  grid.start();
  await renew();
  return { stop: () => grid.stop(), focus: () => grid.focus(0) };
}

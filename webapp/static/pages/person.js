// Person: all faces of one person, the doubtful ones first; select some, give them another name, say who they are not.

import { api } from "../parts/api.js";
import { askMerge, askName, askRename } from "../parts/ask.js";
import { button, el, icon } from "../parts/dom.js";
import * as edits from "../parts/edits.js";
import { faceTile } from "../parts/face.js";
import { Grid } from "../parts/grid.js";
import { setPageKeys } from "../parts/keys.js";
import { emptyState, pageHead } from "../parts/page.js";
import { timeline } from "../parts/timeline.js";
import { showWhy } from "../parts/why.js";
import { formatShare, t } from "../parts/words.js";

const BELOW = 30; // how alike a face is, below its picture, in pixels

export async function show(main, { person: id, go, goBack }) {
  const asked = new URLSearchParams(location.search);
  const since = asked.get("from") ?? "";
  const isByDoubt = asked.get("order") !== "photos";
  const times = since ? { from: since, to: asked.get("to") ?? since } : {};
  const photosOf = `?${new URLSearchParams({ with: id, ...times })}`;
  let person = await api.get(`/people/${id}`);
  const head = el("div");
  const around = el("div", { class: "person-around" });
  const nothing = el("div");
  const chosen = el("span", { class: "chosen", role: "status" });
  const load = async (offset, limit) => {
    const { total, faces } = await api.get(`/people/${id}/${isByDoubt ? "doubts" : "faces"}`, { ...times, offset, limit });
    return { total, items: isByDoubt ? faces.map(({ face, alike }) => ({ ...face, alike })) : faces };
  };
  const grid = new Grid({
    load,
    render: (face, index) => {
      const tile = faceTile(face, t("face", { n: index + 1 }));
      if (isByDoubt && face.alike !== null) tile.append(el("div", { class: "count", title: t("person.alike_means") }, t("person.alike", { similarity: formatShare(face.alike) })));
      tile.addEventListener("dblclick", () => openPhoto(face));
      return tile;
    },
    label: t("person.faces", person),
    below: isByDoubt ? BELOW : 0,
    isSelectable: true,
    onSelect: (n) => { bar.hidden = n === 0; chosen.textContent = n ? t("n_selected", { n }) : ""; single.forEach((one) => { one.hidden = n !== 1; }); },
  });
  const openPhoto = (face) => go(`/photos/${face.photo}${photosOf}`);

  /** Ask anew: the address says for which time and in which order, so that going back goes back. */
  function ask(change) {
    const next = new URLSearchParams({ ...(isByDoubt ? {} : { order: "photos" }), ...times, ...change });
    for (const [name, value] of [...next]) if (!value) next.delete(name);
    go(`/people/${id}${next.size ? `?${next}` : ""}`);
  }

  /** Show what is true now; a person who has gone into another one leads there. */
  async function renew() {
    person = await api.get(`/people/${id}`);
    if (person.id !== Number(id)) { go(`/people/${person.id}`, { replace: true }); return; }
    drawHead();
    await Promise.all([grid.reload(), drawAround()]);
    const nMissing = since ? 0 : person.n_faces - grid.total;
    nothing.replaceChildren(
      ...(grid.total ? [] : [emptyState(t("person.no_faces", person), t("person.no_faces_text"))]),
      ...(grid.total && nMissing > 0 ? [el("p", { class: "quiet" }, t("person.not_shown", { n: nMissing }))] : []),
    );
  }

  function drawHead() {
    const about = t("faces_in_photos", { faces: t("n_faces", { n: person.n_faces }), photos: t("n_photos", { n: person.n_photos }) });
    const actions = el(
      "div",
      { class: "actions" },
      el("a", { class: "button", href: `/find${photosOf}` }, t("find.photos")),
      el("a", { class: "button", href: `/enrol?person=${person.id}` }, t("person.add_photos")),
      button(t("person.rename"), { run: () => askRename(person, renew), key: "r" }),
      button(t("person.merge"), { run: () => askMerge(person, renew), key: "m" }),
      button(t(person.hidden ? "person.show" : "person.hide"), { run: () => edits.hide(person, renew), key: "h" }),
    );
    const back = el("a", { class: "button is-plain is-back", href: "/people", onclick: (event) => { event.preventDefault(); goBack("/people"); } }, icon("back"), t("person.back"));
    head.replaceChildren(back, pageHead(person.name, about, actions));
  }

  async function drawAround() {
    const [{ people }, counted] = await Promise.all([api.get(`/people/${id}/together`), api.get(`/people/${id}/timeline`)]);
    const chips = people.map((other) => el("li", {}, el("a", { class: "button chip", href: `/find?with=${id}&with=${other.id}` }, el("bdi", {}, t("person.with", other)), el("span", { class: "quiet" }, t("n_photos", { n: other.n_photos })))));
    const order = el("div", { class: "order", role: "group", "aria-label": t("person.order") }, ...[["", "person.doubts_first", isByDoubt], ["photos", "person.by_photo", !isByDoubt]].map(([value, words, isOn]) => button(t(words), { kind: "chip", "aria-pressed": String(isOn), run: () => isOn || ask({ order: value }) })));
    around.replaceChildren(
      ...(chips.length ? [el("ul", { class: "chips", "aria-label": t("person.together") }, ...chips)] : []),
      timeline(counted, { since, onChoose: (time) => ask({ from: time, to: time }) }),
      order,
    );
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
  /** Do something with the one face that is selected, else with the one that has the focus. */
  const withOne = (run) => async () => {
    const faces = await grid.selectedItems();
    const face = faces.length ? faces[0] : grid.focused;
    if (face && faces.length < 2) await run(face);
  };
  const actions = [
    { key: "v", words: "key.move_faces", text: t("person.move"), run: move },
    { key: "n", words: "key.deny", text: t("person.deny", person), run: decide(() => ({ kind: "is_not", person: person.id })) },
    { key: "b", words: "key.nobody", text: t("person.nobody"), run: decide(() => ({ kind: "nobody" })) },
    { key: "x", words: "key.not_a_face", text: t("person.not_a_face"), run: decide(() => ({ kind: "not_a_face" })) },
  ];
  const ofOne = [
    { key: "w", words: "key.why", text: t("why.do"), run: withOne(showWhy) },
    { key: "c", words: "key.cover", text: t("person.cover"), run: withOne((face) => edits.chooseCover(person, face, renew)) },
    { key: "o", words: "photo.open", text: t("photo.open"), run: withOne(openPhoto) },
  ];
  const single = ofOne.map(({ key, text, run }) => button(text, { run, key }));
  const bar = el(
    "div",
    { class: "selection-bar", role: "toolbar", "aria-label": t("key.select"), hidden: true },
    chosen,
    ...actions.map(({ key, text, run }) => button(text, { run, key })),
    ...single,
    button(t("person.clear"), { run: () => grid.select(new Set()), iconName: "close", iconOnly: true, kind: "is-plain" }),
  );

  main.append(head, around, grid.element, nothing, bar);
  setPageKeys([
    { key: " ", words: "key.select" },
    { key: "Shift", words: "key.range" },
    { key: "a", words: "key.all", run: () => grid.selectAll() },
    { key: "Escape", words: "key.none", run: () => grid.select(new Set()) },
    ...actions,
    ...ofOne,
    { key: "e", words: "person.add_photos", run: () => go(`/enrol?person=${person.id}`) },
    { key: "r", words: "key.rename", run: () => askRename(person, renew) },
    { key: "m", words: "key.merge", run: () => askMerge(person, renew) },
    { key: "h", words: "key.hide", run: () => edits.hide(person, renew) },
    { key: "u", words: "key.undo", run: () => edits.undo(null, renew) },
    { key: "Backspace", words: "key.back", run: () => goBack("/people") },
  ]);
  drawHead();
  grid.start();
  await renew();
  return { stop: () => grid.stop(), focus: (index = 0) => grid.focus(index) };
}

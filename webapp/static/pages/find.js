// Find: photos with some people and without others, by date, or like a picture; what is asked stands in the address.

import { api } from "../parts/api.js";
import { button, el } from "../parts/dom.js";
import { Grid } from "../parts/grid.js";
import { setPageKeys } from "../parts/keys.js";
import { NameBox } from "../parts/name_box.js";
import { emptyState, pageHead } from "../parts/page.js";
import { photoTile } from "../parts/photo_tile.js";
import { pictureQuestion } from "../parts/picture_question.js";
import { toast } from "../parts/toast.js";
import { t } from "../parts/words.js";

const BELOW = 52;
const MARKS = ["only", "unnamed", "strangers"];

let justNamed = ""; // the field that somebody was just named in: the next name goes there, too

export async function show(main, { go }) {
  const asked = new URLSearchParams(location.search);
  const people = { with: [], without: [] };
  await Promise.all(["with", "without"].map(async (side) => { people[side] = await Promise.all(asked.getAll(side).map((id) => api.get(`/people/${id}`))); }));

  /** Ask anew: the address says what for, so that going back goes back. */
  function ask(change) {
    const next = new URLSearchParams();
    const sides = { with: people.with, without: people.without, ...change };
    for (const side of ["with", "without"]) sides[side].forEach(({ id }) => next.append(side, id));
    const marks = sides.with.length ? MARKS : MARKS.filter((mark) => mark !== "only"); // nobody else than whom?
    for (const mark of marks) if (change[mark] ?? asked.get(mark) === "true") next.set(mark, "true");
    for (const side of ["like", "folder", "from", "to"]) { const value = change[side] ?? asked.get(side) ?? ""; if (value) next.set(side, value); }
    go(`/find${next.size ? `?${next}` : ""}`);
  }

  const focusFirst = justNamed;
  justNamed = "";

  function side(name) {
    const box = new NameBox({ label: t(`find.${name}`), placeholder: t(`find.${name}`), onPick: (_, person) => add(person) });
    const add = (person) => {
      box.input.value = "";
      if (people[name].some(({ id }) => id === person.id)) return;
      justNamed = name;
      ask({ [name]: [...people[name], person] });
    };
    box.element.addEventListener("keydown", async (event) => {
      if (event.key !== "Enter" || event.defaultPrevented || !box.value) return;
      event.preventDefault();
      const person = await box.person();
      if (person === null) toast(t("merge.nobody", { name: box.value }));
      else add(person);
    });
    const chips = people[name].map((person) => el("li", {}, button(person.name, { iconName: "close", kind: "chip", "aria-label": t("find.remove", { name: person.name }), run: () => ask({ [name]: people[name].filter(({ id }) => id !== person.id) }) })));
    return { box, element: el("div", { class: "find-side" }, box.element, el("ul", { class: "chips" }, ...chips)) };
  }

  const sides = { with: side("with"), without: side("without") };
  const check = (mark) => { const input = el("input", { type: "checkbox", checked: asked.get(mark) === "true", disabled: mark === "only" && !people.with.length, onchange: () => ask({ [mark]: input.checked }) }); return el("label", { class: "check" }, input, t(`find.${mark}`)); };
  const date = (name) => el("label", { class: "date" }, t(`find.${name}`), el("input", { class: "field", type: "text", size: 10, value: asked.get(name) ?? "", placeholder: t("find.date"), pattern: "\\d{4}(-\\d{2}(-\\d{2})?)?", onchange: (event) => { if (event.target.validity.valid) ask({ [name]: event.target.value }); else event.target.reportValidity(); } }));
  const folder = asked.get("folder");
  const within = folder ? [button(t("find.in_folder", { folder }), { iconName: "close", kind: "chip", "aria-label": t("find.remove", { name: folder }), run: () => ask({ folder: "" }) })] : [];
  const picture = pictureQuestion({ like: asked.get("like") ?? "", onLike: (like) => ask({ like }) });
  const about = el("p", { class: "quiet found-count", role: "status" });
  const nothing = el("div");
  const grid = new Grid({
    load: async (offset, limit) => {
      const page = new URLSearchParams(asked);
      page.set("offset", offset);
      page.set("limit", limit);
      const { total, photos } = await api.get(`/find?${page}`);
      return { total, items: photos };
    },
    render: (photo) => photoTile(photo, location.search),
    label: t("find.photos"),
    below: BELOW,
  });

  main.append(
    pageHead(t("find.title"), null),
    el("div", { class: "find-ask" }, sides.with.element, sides.without.element, el("div", { class: "find-marks" }, ...MARKS.map(check), date("from"), date("to"), ...within)),
    picture.element,
    about,
    grid.element,
    nothing,
  );
  setPageKeys([
    { key: "/", words: "find.with", run: () => sides.with.box.input.focus() },
    { key: "-", words: "find.without", run: () => sides.without.box.input.focus() },
    { key: "o", words: "key.choose_picture", run: () => picture.open() },
    { key: "Enter", words: "key.open" },
  ]);
  const stop = () => { grid.stop(); picture.stop(); };
  grid.start();
  if (asked.size) {
    try {
      await grid.reload();
    } catch (error) {
      if (error.kind !== "unknown_picture") throw error;
      nothing.replaceChildren(emptyState(t("error.unknown_picture")));
      return { stop, focus: () => picture.open() };
    }
    about.textContent = t("n_photos", { n: grid.total });
    nothing.replaceChildren(...(grid.total ? [] : [emptyState(t("find.none"))]));
  } else nothing.replaceChildren(emptyState(t("find.begin"), t("find.begin_text")));
  const focus = (index) => {
    if (index === undefined && focusFirst) sides[focusFirst].box.input.focus();
    else if (asked.size && grid.total) grid.focus(index ?? 0);
    else sides.with.box.input.focus();
  };
  return { stop, focus };
}

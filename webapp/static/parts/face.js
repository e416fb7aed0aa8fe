// Face tile: a thumbnail with what is said below it.

import { api } from "./api.js";
import { el, icon } from "./dom.js";

/** Make a thumbnail; `key` is a face's, null where there is no picture. */
export function thumb(key) {
  const frame = el("div", { class: "thumb" });
  const miss = () => frame.classList.add("is-missing");
  if (key === null) miss();
  else frame.append(el("img", { src: api.thumbnail(key), alt: "", loading: "lazy", decoding: "async", draggable: "false", onerror: (event) => { event.target.remove(); miss(); } }));
  return frame;
}

/** Make a tile that can be selected, for a grid of options. */
export function faceTile(face, label) {
  return el("div", { class: "tile", role: "option", "aria-label": label, "aria-selected": "false", title: face.path }, thumb(face.key), el("span", { class: "mark" }, icon("check")));
}

/** Make a tile that leads to a person. */
export function personTile(person, lines) {
  return el(
    "a",
    { class: `tile ${person.hidden ? "is-hidden" : ""}`, href: `/people/${person.id}`, draggable: "true" },
    thumb(person.cover),
    el("div", { class: "name", title: person.name }, person.name),
    el("div", { class: "count" }, lines),
  );
}

/** Make the tile of what is not loaded yet. */
export const emptyTile = (role) => el("div", { class: "tile", role, "aria-busy": "true" }, el("div", { class: "thumb" }));

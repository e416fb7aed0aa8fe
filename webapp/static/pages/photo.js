// Photo: the picture with its faces; go through them, name them, draw those that were not found, go on to the next photo.

import { api } from "../parts/api.js";
import { askName } from "../parts/ask.js";
import { BoxDrawing } from "../parts/box_drawing.js";
import { button, el, icon } from "../parts/dom.js";
import * as edits from "../parts/edits.js";
import { setPageKeys } from "../parts/keys.js";
import { pageHead } from "../parts/page.js";
import { photoList } from "../parts/photo_list.js";
import { formatMoment, t } from "../parts/words.js";
import { showWhy } from "../parts/why.js";

export async function show(main, { photo: number, go, goBack }) {
  let photo = await api.get(`/photos/${number}`);
  let active = 0;
  const isVideo = photo.kind === "video";
  // Of a video, the frame of one second at a time.
  const pictureOf = () => `${api.picture(number)}${isVideo ? `${api.picture(number).includes("?") ? "&" : "?"}at=${photo.at}` : ""}`;
  const moments = el("div", { class: "selection-bar", role: "group", "aria-label": t("photo.seconds") });
  const place = el("p", { class: "empty photo-gone" }, t("photo.gone"));
  const image = el("img", { src: pictureOf(), alt: photo.path, draggable: "false", onerror: () => image.replaceWith(place) });
  const stage = el("div", { class: "photo" }, image);
  stage.style.aspectRatio = `${photo.width} / ${photo.height}`;
  // As large as it fits, a small one not much larger than it is.
  stage.style.width = `min(100%, ${(75 * photo.width) / photo.height}vh, ${Math.max(photo.width, 480)}px)`;
  const bar = el("div", { class: "selection-bar", role: "toolbar", "aria-label": t("photo.face") });
  const drawing = isVideo ? null : new BoxDrawing(stage, { onChange: drawBar, onDone: nameDrawn });
  const list = await photoList(photo, go);

  const current = () => photo.faces[active];
  const labelOf = ({ face, name }) => name || t(`photo.state.${face.state}`);

  function draw() {
    stage.querySelectorAll("button").forEach((box) => box.remove());
    stage.append(...photo.faces.map((entry, index) => {
      const [left, top, right, bottom] = entry.face.box;
      const box = el("button", { type: "button", class: `face-box ${entry.name ? "is-known" : ""}`, "aria-label": `${t("face", { n: index + 1 })}: ${labelOf(entry)}`, "aria-pressed": String(index === active), onfocus: () => choose(index), onclick: () => choose(index), ondblclick: name }, el("span", { dir: "auto" }, labelOf(entry)));
      Object.assign(box.style, { left: `${100 * left}%`, top: `${100 * top}%`, width: `${100 * (right - left)}%`, height: `${100 * (bottom - top)}%` });
      return box;
    }));
    drawBar();
  }

  function choose(index) {
    active = index;
    stage.querySelectorAll("button").forEach((box, at) => box.setAttribute("aria-pressed", String(at === index)));
    drawBar();
  }

  function drawBar() {
    const toDraw = drawing && !drawing.box ? [button(t("draw.do"), { run: () => drawing.begin(), key: "f" })] : [];
    if (drawing?.box) bar.replaceChildren(el("span", { class: "chosen" }, t("draw.new")), ...drawnActions().map(({ key, text, run }) => button(text, { run, key })));
    else if (!photo.faces.length) bar.replaceChildren(...toDraw);
    else {
      const { name: known, waits } = current();
      bar.replaceChildren(
        el("span", { class: "chosen" }, el("bdi", {}, labelOf(current())), waits ? el("span", { class: "quiet" }, t("draw.waits")) : null),
        ...actions().filter(({ text }) => text).map(({ key, text, run }) => button(text, { run, key })),
        ...(known ? [el("a", { class: "button", href: `/people/${current().face.person}` }, t("photo.open_person", { name: known }))] : []),
        ...toDraw,
      );
    }
    bar.hidden = !bar.children.length;
  }

  function drawMoments() {
    moments.hidden = photo.seconds.length < 2;
    moments.replaceChildren(...photo.seconds.map((second) => el("button", { type: "button", "aria-pressed": String(second === photo.at), onclick: () => goTo(second) }, t("photo.second", { n: second.toFixed(1) }))));
  }

  async function goTo(second) {
    photo = await api.get(`/photos/${number}?at=${second}`);
    image.src = pictureOf();
    drawMoments();
    await renew();
  }

  /** Show what is true now, with the focus on the face at `box`, else on the one that had it. */
  async function renew(box = null) {
    photo = await api.get(`/photos/${number}${isVideo ? `?at=${photo.at}` : ""}`);
    const drawn = box ? photo.faces.findIndex(({ face }) => face.box.every((side, at) => Math.abs(side - box[at]) < 0.001)) : -1;
    active = drawn >= 0 ? drawn : Math.max(0, Math.min(active, photo.faces.length - 1));
    draw();
    stage.querySelectorAll("button")[active]?.focus();
  }

  const decide = (what) => edits.decide([current().face], what, () => renew());
  async function name() {
    const given = await askName({ title: t("move.title", { n: 1 }), label: t("move.label"), submit: t("move.do"), value: current().name });
    if (given !== null && given !== current().name) await decide({ kind: "is", name: given });
  }

  async function keepDrawn(given) {
    const { box } = drawing;
    drawing.discard();
    await edits.draw(number, box, given, () => renew(box));
  }
  async function nameDrawn() {
    const given = await askName({ title: t("move.title", { n: 1 }), label: t("move.label"), submit: t("move.do") });
    if (given !== null) await keepDrawn(given);
  }

  const drawnActions = () => [
    { key: "Enter", text: t("photo.name"), run: nameDrawn },
    { key: "k", words: "key.keep_drawn", text: t("draw.keep"), run: () => keepDrawn(null) },
    { key: "Escape", words: "key.discard_drawn", text: t("draw.discard"), run: () => { drawing.discard(); stage.querySelectorAll("button")[active]?.focus(); } },
  ];
  const actions = () => [
    { key: "n", words: "key.name_face", text: t("photo.name"), run: name },
    { key: "d", words: "key.deny_face", text: photo.faces.length && current().name ? t("person.deny", { name: current().name }) : "", run: () => current().name && decide({ kind: "is_not", person: current().face.person }) },
    { key: "b", words: "key.nobody_face", text: t("person.nobody"), run: () => decide({ kind: "nobody" }) },
    { key: "x", words: "key.not_a_face_here", text: t("person.not_a_face"), run: () => decide({ kind: "not_a_face" }) },
    { key: "w", words: "key.why", text: photo.faces.length && !current().waits ? t("why.do") : "", run: () => !current().waits && showWhy(current().face) },
  ];

  const back = location.search ? `/find${location.search}` : "/people";
  const backLink = el("a", { class: "button is-plain is-back", href: back, onclick: (event) => { event.preventDefault(); goBack(back); } }, icon("back"), t("photo.back"));
  const about = [photo.taken ? formatMoment(photo.taken) : null, t("n_faces", { n: photo.faces.length })].filter(Boolean).join(" · ");
  const copies = photo.paths.length > 1 ? [el("details", { class: "copies" }, el("summary", {}, t("photo.places", { n: photo.paths.length })), el("ul", {}, ...photo.paths.map((path) => el("li", { dir: "auto" }, path))))] : [];
  main.append(el("nav", { class: "photo-nav", "aria-label": t("photo.list") }, backLink, list.element), pageHead(photo.path, about), ...copies, moments, stage, bar);
  setPageKeys([
    { key: "Tab", words: "photo.next" },
    ...list.keys,
    ...actions().map((action) => ({ ...action, run: () => photo.faces.length && !drawing?.box && action.run() })),
    ...(drawing ? [{ key: "f", words: "key.draw", run: () => drawing.begin() }, { keys: ["←", "→", "↑", "↓"], words: "key.move_drawn" }, { keys: ["Shift", "←", "→", "↑", "↓"], words: "key.resize_drawn" }] : []),
    ...drawnActions().slice(1).map((action) => ({ ...action, run: () => drawing?.box && action.run() })),
    { key: "u", words: "key.undo", run: () => edits.undo(null, () => renew()) },
    { key: "Backspace", words: "photo.back", run: () => goBack(back) },
  ]);
  drawMoments();
  draw();
  return { focus: () => (stage.querySelector("button") ?? main).focus() };
}

// Photo: the picture with its faces; go through them, name them, say who they are not.

import { api } from "../parts/api.js";
import { askName } from "../parts/ask.js";
import { button, el, icon } from "../parts/dom.js";
import * as edits from "../parts/edits.js";
import { setPageKeys } from "../parts/keys.js";
import { pageHead } from "../parts/page.js";
import { formatMoment, t } from "../parts/words.js";
import { showWhy } from "../parts/why.js";

export async function show(main, { photo: number, go }) {
  let photo = await api.get(`/photos/${number}`);
  let active = 0;
  // Of a video, the frame of one second at a time.
  const pictureOf = () => `${api.picture(number)}${photo.kind === "video" ? `${api.picture(number).includes("?") ? "&" : "?"}at=${photo.at}` : ""}`;
  const moments = el("div", { class: "selection-bar", role: "group", "aria-label": t("photo.seconds") });
  const image = el("img", { src: pictureOf(), alt: photo.path, onerror: () => { image.replaceWith(el("p", { class: "empty" }, t("photo.gone"))); } });
  const stage = el("div", { class: "photo" });
  stage.style.aspectRatio = `${photo.width} / ${photo.height}`;
  // As large as it fits, a small one not much larger than it is.
  stage.style.width = `min(100%, ${(75 * photo.width) / photo.height}vh, ${Math.max(photo.width, 480)}px)`;
  const bar = el("div", { class: "selection-bar", role: "toolbar", "aria-label": t("photo.face") });
  const back = location.search ? `/find${location.search}` : "/people";

  const current = () => photo.faces[active];
  const labelOf = ({ face, name }) => name || t(`photo.state.${face.state}`);

  function draw() {
    stage.replaceChildren(image, ...photo.faces.map((entry, index) => {
      const [left, top, right, bottom] = entry.face.box;
      const box = el("button", { type: "button", class: `face-box ${entry.name ? "is-known" : ""}`, "aria-label": `${t("face", { n: index + 1 })}: ${labelOf(entry)}`, "aria-pressed": String(index === active), onfocus: () => choose(index), onclick: () => choose(index), ondblclick: name }, el("span", {}, labelOf(entry)));
      Object.assign(box.style, { left: `${100 * left}%`, top: `${100 * top}%`, width: `${100 * (right - left)}%`, height: `${100 * (bottom - top)}%` });
      return box;
    }));
    drawBar();
  }

  function choose(index) {
    active = index;
    stage.querySelectorAll(".face-box").forEach((box, place) => box.setAttribute("aria-pressed", String(place === index)));
    drawBar();
  }

  function drawBar() {
    bar.hidden = !photo.faces.length;
    if (bar.hidden) return;
    const { name: known } = current();
    bar.replaceChildren(
      el("span", { class: "chosen" }, labelOf(current())),
      ...actions().filter(({ text }) => text).map(({ key, text, run }) => button(text, { run, key })),
      known ? el("a", { class: "button", href: `/people/${current().face.person}` }, t("photo.open_person")) : null,
    );
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

  async function renew() {
    photo = await api.get(`/photos/${number}${photo.kind === "video" ? `?at=${photo.at}` : ""}`);
    active = Math.max(0, Math.min(active, photo.faces.length - 1));
    draw();
    stage.querySelectorAll(".face-box")[active]?.focus();
  }

  const decide = (what) => edits.decide([current().face], what, renew);
  async function name() {
    if (!photo.faces.length) return;
    const given = await askName({ title: t("move.title", { n: 1 }), label: t("move.label"), submit: t("move.do"), value: current().name });
    if (given !== null && given !== current().name) await decide({ kind: "is", name: given });
  }

  const actions = () => [
    { key: "n", words: "key.move_faces", text: t("photo.name"), run: name },
    { key: "d", words: "key.deny", text: photo.faces.length && current().name ? t("person.deny", { name: current().name }) : "", run: () => current().name && decide({ kind: "is_not", person: current().face.person }) },
    { key: "b", words: "key.nobody", text: t("person.nobody"), run: () => decide({ kind: "nobody" }) },
    { key: "x", words: "key.not_a_face", text: t("person.not_a_face"), run: () => decide({ kind: "not_a_face" }) },
    { key: "w", words: "key.why", text: t("why.do"), run: () => showWhy(current().face) },
  ];

  const about = [photo.taken ? formatMoment(photo.taken) : null, t("n_faces", { n: photo.faces.length })].filter(Boolean).join(" · ");
  main.append(el("a", { class: "button is-plain", href: back }, icon("back"), t("photo.back")), pageHead(photo.path, about), moments, stage, bar);
  setPageKeys([
    { key: "Tab", words: "photo.next" },
    ...actions().map((action) => ({ ...action, run: () => photo.faces.length && action.run() })),
    { key: "u", words: "key.undo", run: () => edits.undo(null, renew) },
    { key: "Backspace", words: "photo.back", run: () => go(back) },
  ]);
  drawMoments();
  draw();
  return { focus: () => stage.querySelector(".face-box")?.focus() ?? main.focus() };
}

// Enrol: pictures of one person, with hints while they are taken; the good ones are kept under the person's name.

import { api } from "../parts/api.js";
import { button, el } from "../parts/dom.js";
import * as edits from "../parts/edits.js";
import { pictureWithBoxes } from "../parts/face_boxes.js";
import * as jobs from "../parts/job.js";
import { setPageKeys } from "../parts/keys.js";
import { NameBox } from "../parts/name_box.js";
import { pageHead } from "../parts/page.js";
import { pictureDrop } from "../parts/picture_drop.js";
import { explain, toast, toastError } from "../parts/toast.js";
import { formatNumber, formatShare, t } from "../parts/words.js";

const MOST_BYTES = 90 << 20; // of one request
const MOST_PICTURES = 50;
const WHOLE = ["too_small", "blurred", "companion"];

export async function show(main) {
  const asked = new URLSearchParams(location.search).get("person");
  const person = asked ? await api.get(`/people/${asked}`) : null;
  let pictures = []; // {blob, flaws, element}
  let stopJob = () => {};

  const hint = el("ul", { class: "hints is-live" });
  const drop = pictureDrop({ label: t("enrol.drop"), onPicture: add, several: true, onLive: look, beside: [el("div", { role: "status" }, hint)] });
  const tray = el("ul", { class: "tray", "aria-label": t("enrol.pictures") });
  const box = new NameBox({ label: t("enrol.name"), placeholder: t("enrol.name"), value: person?.name ?? "" });
  const force = el("input", { type: "checkbox" });
  const forceRow = el("label", { class: "check", hidden: true }, force, t("enrol.force"));
  const submit = button(t("enrol.do", { n: 0 }), { kind: "is-main", run: () => enrol(), disabled: true });
  const result = el("section", { class: "enrol-result", role: "status" });
  const bar = jobs.progressBar();
  const working = el("section", { class: "working", hidden: true }, bar.element);

  /** Give hints on what the camera shows now. */
  async function look(blob) {
    try {
      showFlaws(hint, (await api.send("/enrol/check", blob)).flaws);
    } catch (error) {
      hint.replaceChildren(el("li", {}, explain(error)));
    }
  }

  /** Put a picture into the tray and say what is wrong with it, if anything. */
  async function add(blob) {
    const state = el("ul", { class: "hints" }, el("li", {}, t("try.looking")));
    const shown = el("div", { class: "shown" });
    const picture = { blob, flaws: null, state };
    const n = pictures.length + 1;
    picture.element = el("li", { class: "enrol-picture" }, shown, state, button(t("enrol.remove"), { iconName: "close", iconOnly: true, kind: "is-plain", "aria-label": t("enrol.remove_n", { n }), run: () => remove(picture) }));
    pictures.push(picture);
    tray.append(picture.element);
    renew();
    try {
      const seen = await api.send("/enrol/check", blob);
      picture.flaws = seen.flaws;
      shown.replaceChildren(pictureWithBoxes(blob, { ...seen, faces: seen.box ? [{ box: seen.box, text: "", isKnown: seen.flaws.length === 0 }] : [] }));
      showFlaws(state, seen.flaws);
    } catch (error) {
      state.replaceChildren(el("li", { class: "problem" }, explain(error)));
    }
    renew();
  }

  function remove(picture) {
    pictures = pictures.filter((one) => one !== picture);
    picture.element.remove();
    renew();
    (tray.querySelector("button") ?? drop.input).focus();
  }

  function renew() {
    submit.disabled = pictures.length === 0;
    submit.textContent = t("enrol.do", { n: pictures.length });
    forceRow.hidden = !pictures.some(({ flaws }) => flaws?.length && flaws[0].kind !== "no_face");
  }

  async function enrol() {
    const name = box.value;
    if (!name) { box.input.focus(); toast(t("enrol.who")); return; }
    drop.stop();
    hint.replaceChildren();
    submit.disabled = true;
    result.replaceChildren(el("p", {}, t("try.looking")));
    try {
      const decisions = [];
      let n = 0;
      for (const part of parts(pictures)) n += await send(part, name, decisions);
      finish(name, n, decisions);
    } catch (error) {
      result.replaceChildren(el("p", { role: "alert" }, explain(error)));
    }
    renew();
  }

  /** Enrol with some pictures; those that were taken leave the tray. Return how many. */
  async function send(part, name, decisions) {
    const form = new FormData();
    form.append("name", name);
    form.append("force", String(force.checked && !forceRow.hidden));
    part.forEach(({ blob }) => form.append("file", blob, "picture"));
    const answer = await api.send("/enrol", form);
    if (answer.decision) decisions.push(answer.decision);
    answer.pictures.forEach(({ state, flaws }, place) => {
      const picture = part[place];
      if (state === "refused") {
        picture.flaws = flaws;
        picture.element.querySelector(".face-box")?.classList.remove("is-known");
        showFlaws(picture.state, flaws);
        return;
      }
      pictures = pictures.filter((one) => one !== picture);
      picture.element.remove();
    });
    return answer.pictures.filter(({ state }) => state === "enrolled").length;
  }

  /** Say what was done, with the way back, and let the server learn it. */
  function finish(name, n, decisions) {
    const id = decisions[0]?.person ?? null;
    result.replaceChildren(
      el("p", {}, n ? t("enrol.done", { n, name }) : t("enrol.none")),
      ...(pictures.length ? [el("p", {}, t("enrol.refused", { n: pictures.length }))] : []),
      ...(id === null ? [] : [el("a", { class: "button", href: `/people/${id}` }, t("enrol.to_person", { name }))]),
    );
    for (const decision of decisions) edits.tell(decision, () => result.replaceChildren());
    if (decisions.length) learn().catch(toastError);
  }

  /** Let the server look for new photos; what it was doing meanwhile may have missed these, so that it looks again. */
  async function learn() {
    const job = await jobs.begin("scan");
    working.hidden = false;
    bar.update(job);
    stopJob();
    stopJob = jobs.watch(job, (now) => {
      bar.update(now);
      if (!jobs.isOver(now)) return;
      if (job.isOther) { learn().catch(toastError); return; }
      working.hidden = true;
      result.append(el("p", { class: now.state === "done" ? "" : "problem" }, now.state === "done" ? t("enrol.learned") : t(`job.${now.state}`, { message: now.message })));
    });
  }

  box.element.addEventListener("keydown", (event) => { if (event.key === "Enter" && !event.defaultPrevented && !submit.disabled) { event.preventDefault(); enrol(); } });
  main.append(
    pageHead(person ? t("enrol.title_of", person) : t("enrol.title"), t("enrol.text")),
    drop.element,
    tray,
    el("div", { class: "enrol-ask" }, box.element, submit),
    forceRow,
    working,
    result,
  );
  setPageKeys([
    { key: "o", words: "key.choose_picture", run: () => drop.input.click() },
    { key: "n", words: "enrol.name", run: () => box.input.focus() },
  ]);
  return { stop: () => { drop.stop(); stopJob(); } };
}

/** Return pictures in parts that one request may hold. */
function parts(pictures) {
  const found = [[]];
  let size = 0;
  for (const picture of pictures) {
    if (found.at(-1).length && (size + picture.blob.size > MOST_BYTES || found.at(-1).length === MOST_PICTURES)) { found.push([]); size = 0; }
    found.at(-1).push(picture);
    size += picture.blob.size;
  }
  return found;
}

/** Say what is wrong with a picture, in words; or that it is good. */
function showFlaws(place, flaws) {
  place.classList.toggle("is-good", flaws.length === 0);
  const format = (kind, number) => (number === null ? "" : WHOLE.includes(kind) ? formatNumber(Math.round(number)) : formatShare(number));
  const text = ({ kind, measured, limit, name }) => t(`enrol.flaw.${kind}`, { measured: format(kind, measured), limit: format(kind, limit), name });
  const lines = flaws.length ? flaws.map(text) : [t("enrol.good")];
  if (lines.join() === [...place.children].map((line) => line.textContent).join()) return; // nothing new to be read out
  place.replaceChildren(...lines.map((line) => el("li", {}, line)));
}

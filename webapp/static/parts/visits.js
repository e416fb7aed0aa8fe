// Visits to a camera: a list with time and picture, and the question who it was.

import { api } from "./api.js";
import { openDialog } from "./dialog.js";
import { button, el } from "./dom.js";
import * as edits from "./edits.js";
import { NameBox } from "./name_box.js";
import { toastError } from "./toast.js";
import { formatShare, t } from "./words.js";

const SECONDS_BETWEEN = 1;

/** Make the list of a camera's visits; `update()` asks for it again, at most once a second. */
export function visitList(camera) {
  const list = el("ol", { class: "visits", "aria-label": t("live.visits") });
  const rows = new Map();
  let pending = null;
  let stopped = false;

  async function load() {
    pending = null;
    try {
      const { visits } = await api.get("/visits", { camera });
      if (!stopped) draw(visits);
    } catch (error) {
      if (!stopped && error.kind !== "offline") toastError(error);
    }
  }

  function draw(visits) {
    const shown = new Set(visits.map(({ id }) => id));
    for (const [id, row] of rows) if (!shown.has(id)) { row.element.remove(); rows.delete(id); }
    for (const visit of [...visits].reverse()) {
      const row = rows.get(visit.id) ?? visitRow(visit, load);
      if (!rows.has(visit.id)) { rows.set(visit.id, row); list.prepend(row.element); }
      row.update(visit);
    }
  }

  load();
  return {
    element: list,
    update: () => { pending ??= setTimeout(load, 1000 * SECONDS_BETWEEN); },
    ask: (id) => askWho(id, load),
    stop: () => { stopped = true; clearTimeout(pending); },
  };
}

function visitRow(first, done) {
  const image = el("img", { alt: "", class: "visit-picture" });
  const text = el("span", {});
  const ask = button(t("live.who"), { run: () => askWho(first.id, done) });
  const element = el("li", {}, el("div", { class: "thumb" }, image), text, ask);
  let seen = 0;
  const update = (visit) => {
    if (visit.seen !== seen) image.src = `/api/v1/visits/${visit.id}/picture?seen=${visit.seen}`;
    seen = visit.seen;
    const name = visit.name || t("live.unknown");
    const words = t(visit.ended ? "live.visit.ended" : "live.visit.here", { name, from: formatTime(visit.began), to: formatTime(visit.seen) });
    if (text.textContent === words) return;
    text.textContent = words;
    ask.setAttribute("aria-label", `${t("live.who")} ${words}`);
  };
  return { element, update };
}

const formatTime = (seconds) => new Date(1000 * seconds).toLocaleTimeString();

/** Show whom a visit is like and whether the face was here before; name or reject it. */
async function askWho(id, done) {
  let found;
  try {
    found = await api.get(`/visits/${id}/who`);
  } catch (error) {
    toastError(error);
    return;
  }
  const { visit } = found;
  const box = new NameBox({ label: t("live.name_it"), placeholder: t("live.name_it") });
  const problem = el("p", { role: "alert" });
  const close = () => body.closest("dialog").close();
  const give = (what) => { close(); edits.decideVisit(id, what, done); };
  const body = el(
    "div",
    { class: "who" },
    el("div", { class: "thumb" }, el("img", { alt: t("live.its_picture"), src: `/api/v1/visits/${id}/picture` })),
    visit.name ? el("p", {}, t("live.taken_for", { name: visit.name })) : null,
    el("h3", {}, t("live.most_like")),
    el("div", { class: "chips" }, ...found.nearest.map(({ name, score }) => button(t("live.it_is", { name, score: formatShare(score) }), { run: () => give({ kind: "is", name }) })), ...(visit.name ? [button(t("live.not", { name: visit.name }), { run: () => give({ kind: "is_not", name: visit.name }) })] : [])),
    el("h3", {}, t("live.before")),
    found.before.length ? el("ol", { class: "visits" }, ...found.before.map(earlier)) : el("p", { class: "quiet" }, t("live.never_before")),
    box.element,
    el("p", { class: "quiet" }, t("live.is_kept")),
    problem,
  );
  const check = () => {
    problem.textContent = box.value ? "" : t("live.name_first");
    return box.value !== "";
  };
  if (await openDialog({ title: t("live.who"), body, submit: t("live.give_name"), check })) await edits.decideVisit(id, { kind: "is", name: box.value }, done);
}

const earlier = ({ visit, similarity }) =>
  el("li", {}, el("div", { class: "thumb" }, el("img", { alt: "", src: `/api/v1/visits/${visit.id}/picture` })), el("span", {}, t("live.earlier", { camera: visit.camera, name: visit.name || t("live.unknown"), when: new Date(1000 * visit.began).toLocaleString(), similarity: formatShare(similarity) })));


// Groups: faces of one person each, without a name yet; two keys a group.

import { api } from "../parts/api.js";
import { button, el, icon } from "../parts/dom.js";
import * as edits from "../parts/edits.js";
import { faceTile, thumb } from "../parts/face.js";
import * as jobs from "../parts/job.js";
import { setPageKeys, showKeys } from "../parts/keys.js";
import { NameBox } from "../parts/name_box.js";
import { emptyState, pageHead } from "../parts/page.js";
import { showWhy } from "../parts/why.js";
import { toast, toastError } from "../parts/toast.js";
import { formatNumber, t } from "../parts/words.js";

const AHEAD = 2; // groups that are there before they are asked for

export async function show(main, { go }) {
  const details = new Map(); // group -> promise of its faces
  const skipped = new Set();
  const left = []; // groups that were shown before this one
  const deciding = new Set(); // groups whose decision is on its way: the server lists them still
  let queue = [];
  let current = null;
  let wanted = null; // the group that is to be shown, before its faces have come
  let chosen = new Set();
  let stopWatching = () => {};
  let pending = Promise.resolve(); // decisions are sent one after the other, and none is taken back before it was made

  const head = el("div");
  const card = el("section", { class: "group-card", "aria-label": t("groups.title") });
  main.append(head, card);

  const load = (group) => {
    if (!details.has(group)) {
      const promise = api.get(`/groups/${group}`);
      promise.then(({ faces, shown }) => shown.forEach((place) => { new Image().src = api.thumbnail(faces[place].key); })).catch(() => details.delete(group));
      details.set(group, promise);
    }
    return details.get(group);
  };

  /** Ask which groups there are now; what was skipped comes last. */
  async function renew() {
    details.clear();
    const groups = (await api.get("/groups")).groups.filter(({ group }) => !deciding.has(group));
    const isLate = ({ group }) => skipped.has(group);
    queue = [...groups.filter((one) => !isLate(one)), ...groups.filter(isLate)];
    drawHead();
  }

  function drawHead() {
    const faces = queue.reduce((sum, { n_faces: n }) => sum + n, 0);
    head.replaceChildren(pageHead(t("groups.title"), queue.length ? t("groups.left", { groups: t("groups.n", { n: queue.length }), faces: t("n_faces", { n: faces }) }) : null));
  }

  /** Show a group, by default the first of the queue. */
  async function open(group = queue[0]?.group) {
    chosen = new Set();
    wanted = group;
    if (group === undefined) {
      current = null;
      await drawNothing();
      setPageKeys([{ key: "u", words: "key.undo", run: undo }]);
      return;
    }
    const asked = group;
    const found = await load(group);
    if (wanted !== asked) return; // another one was asked for meanwhile
    if (!found.faces.length) { queue = queue.filter((one) => one.group !== group); await open(); return; }
    if (current?.asked === asked && current.found === found) return;
    current = { asked, found, faces: found.faces };
    draw();
    const place = queue.findIndex((one) => one.group === group);
    queue.slice(place + 1, place + 1 + AHEAD).forEach((one) => load(one.group).catch(() => {}));
  }

  /** Say why there is no group: all have a name, no photo was looked at yet, or that is being done just now. */
  async function drawNothing() {
    const [{ counts }, { jobs: newest }] = await Promise.all([api.get("/workspace"), api.get("/jobs")]);
    if (wanted !== undefined) return;
    const running = newest.find((job) => !jobs.isOver(job));
    if (running) {
      const bar = jobs.progressBar();
      bar.update(running);
      card.replaceChildren(bar.element);
      stopWatching = jobs.watch(running, (now) => { bar.update(now); if (jobs.isOver(now)) renew().then(() => open()).catch(toastError); });
    } else if (!counts.faces) card.replaceChildren(emptyState(t("groups.no_faces"), t("groups.no_faces_text"), el("a", { class: "button is-main", href: "/" }, t("not_found.link"))));
    else card.replaceChildren(emptyState(t("groups.none"), t("groups.none_text"), el("a", { class: "button", href: "/questions" }, t("groups.to_questions"))));
  }

  function draw() {
    const { found, faces, isWhole } = current;
    const shown = isWhole ? faces : found.shown.map((place) => found.faces[place]).filter((face) => faces.includes(face));
    const typed = card.querySelector("input")?.value ?? ""; // while the faces were on their way
    const box = new NameBox({ label: t("groups.name"), placeholder: t("groups.name"), value: typed });
    const tiles = el("div", { class: "group-faces", role: "listbox", "aria-multiselectable": "true", "aria-label": t("groups.shown") }, ...shown.map((face, index) => {
      const tile = faceTile(face, t("face", { n: index + 1 }));
      tile.tabIndex = 0;
      tile.addEventListener("click", () => toggle(face));
      tile.addEventListener("keydown", (event) => { if (event.key === " ") { event.preventDefault(); event.stopPropagation(); toggle(face); } });
      return tile;
    }));
    const likely = el("ol", { class: "likely", "aria-label": t("groups.likely") }, ...found.likely.map(({ person }, index) =>
      el("li", {}, el("button", { type: "button", class: "button", onclick: () => name(person.name) }, thumb(person.cover), el("span", { class: "name" }, person.name), el("kbd", { "aria-hidden": "true" }, String(index + 1))))));
    const commands = commandsOf();
    box.element.addEventListener("keydown", (event) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey) return;
      if (event.altKey && /^[1-8]$/.test(event.key)) { event.preventDefault(); const face = shown[Number(event.key) - 1]; if (face) toggle(face); return; }
      if (event.key === "Enter" && box.value) { event.preventDefault(); name(box.value); return; }
      if (box.input.value !== "" || event.altKey) return;
      const command = commands.find(({ key }) => key === event.key);
      if (command) { event.preventDefault(); command.run(); }
    });
    card.replaceChildren(
      el("h2", {}, t("groups.who", { n: faces.length })),
      tiles,
      faces.length > shown.length
        ? el("p", { class: "quiet group-more" }, t("groups.more", { n: faces.length - shown.length }), button(t("groups.show_all"), { run: showAll, key: "a" }))
        : el("p", { class: "quiet" }, t("groups.all_shown")),
      box.element,
      el("p", { class: "quiet hint" }, t("groups.hint")),
      found.likely.length ? likely : el("div"),
      el("div", { class: "actions" }, ...commands.filter(({ text }) => text).map(({ key, text, run, iconName }) => button(text, { run, key: key === " " ? t("key.space") : key, iconName }))),
    );
    setPageKeys([...commands, { key: "Alt 1–8", words: "key.choose_face" }, { key: "Enter", words: "key.name" }]);
    current.tiles = tiles;
    current.shown = shown;
    box.input.focus({ preventScroll: true });
  }

  const commandsOf = () => [
    { key: " ", words: "key.skip", text: t("groups.skip"), run: skip },
    { key: "h", words: "key.nobody_group", text: t("person.nobody"), run: () => decide({ kind: "nobody" }) },
    { key: "x", words: "key.not_a_face_group", text: t("person.not_a_face"), run: () => decide({ kind: "not_a_face" }) },
    { key: "s", words: "key.split", text: t("groups.split"), run: split },
    { key: "a", words: "groups.show_all", run: showAll },
    { key: "w", words: "key.why", text: t("why.do"), run: () => showWhy(chosenFaces()[0] ?? current.shown[0]) },
    { key: "u", words: "key.undo", text: t("undo"), iconName: "undo", run: undo },
    { key: "?", words: "key.help", run: showKeys },
    ...current.found.likely.map(({ person }, index) => ({ key: String(index + 1), words: "key.likely", run: () => name(person.name) })),
  ];

  function showAll() {
    current.isWhole = true;
    draw();
    current.shown.forEach((one, index) => current.tiles.children[index].setAttribute("aria-selected", String(chosen.has(one.key))));
  }

  const chosenFaces = () => current.faces.filter((face) => chosen.has(face.key));

  function toggle(face) {
    if (!chosen.delete(face.key)) chosen.add(face.key);
    current.shown.forEach((one, index) => current.tiles.children[index].setAttribute("aria-selected", String(chosen.has(one.key))));
  }

  const name = (text) => decide({ kind: "is", name: text });

  /** Decide about the whole group and show the next one at once; what cannot be done brings it back. */
  async function decide(what) {
    const { asked, faces } = current;
    if (asked !== wanted) return; // the next group is not to be seen yet
    clearName();
    left.push(asked);
    deciding.add(asked);
    queue = queue.filter((one) => one.group !== asked);
    const next = open();
    const sent = pending.then(() => edits.decide(faces, what, afterwards));
    pending = sent.catch(() => {});
    const isDone = await sent.finally(() => deciding.delete(asked));
    await next;
    if (!isDone) { await renew(); await open(asked); }
  }

  /** After a decision, its undo or a conflict: the queue is what it is now, and the group in sight stays. */
  async function afterwards() {
    const inSight = wanted;
    await renew();
    if (wanted !== inSight) return; // gone on meanwhile
    if (!queue.some((one) => one.group === inSight)) await open();
    else if (current) load(inSight).then((found) => { if (current?.asked === inSight && found.faces.length !== current.found.faces.length) { current = { asked: inSight, found, faces: found.faces }; draw(); } }).catch(toastError);
  }

  const clearName = () => { card.querySelector("input").value = ""; };

  async function skip() {
    if (current.asked !== wanted) return;
    clearName();
    left.push(current.asked);
    skipped.add(current.asked);
    queue = [...queue.filter((one) => one.group !== current.asked), ...queue.filter((one) => one.group === current.asked)];
    await open();
  }

  /** The chosen faces are somebody else than the rest, which stays to be named. */
  async function split() {
    const faces = chosenFaces();
    const rest = current.faces.filter((face) => !chosen.has(face.key));
    if (!faces.length || !rest.length) { toast(t("groups.choose_first")); return; }
    const seen = ({ key, state, person }) => ({ key, state, person });
    let decision;
    try {
      decision = await api.post("/groups/split", { faces: faces.map(seen), rest: rest.slice(0, 1).map(seen) });
    } catch (error) {
      toastError(error);
      return;
    }
    const { found, asked } = current;
    chosen = new Set();
    current = { asked, found: { ...found, faces: rest, shown: shownOf(found, rest) }, faces: rest };
    draw();
    edits.tell(decision, afterwards, t("groups.was_split", { n: faces.length }));
  }

  const shownOf = (found, faces) => {
    const kept = found.shown.map((place) => faces.indexOf(found.faces[place])).filter((place) => place >= 0);
    return kept.length ? kept : faces.slice(0, 8).map((_, place) => place);
  };

  async function undo() {
    const before = left.pop();
    await pending;
    await edits.undo(null, renew);
    skipped.delete(before);
    current = null;
    await open(queue.some((one) => one.group === before) ? before : undefined);
  }

  await renew();
  await open();
  return { stop: () => stopWatching(), focus: () => (card.querySelector("input") ?? main).focus() };
}

// Live: the workspace's cameras; picture, boxes and names of one frame on one canvas, visits beside it.

import { api } from "../parts/api.js";
import { button, el } from "../parts/dom.js";
import { emptyState, pageHead } from "../parts/page.js";
import { settings } from "../parts/settings.js";
import { toastError } from "../parts/toast.js";
import { t } from "../parts/words.js";

const STATES = {
  starting: "live.state.starting",
  waiting: "live.state.waiting",
  stopped: "live.state.stopped",
  unknown_camera: "live.state.unknown_camera",
  no_head: "error.no_head",
};
const FINAL = ["unknown_camera", "no_head"];
const VISITS = { started: "live.visit.started", identified: "live.visit.identified", changed: "live.visit.changed", ended: "live.visit.ended" };
const SPAN = 30;

export async function show(main) {
  const list = el("ul", { class: "cameras" });
  const view = el("section", { class: "live-view" });
  const name = el("input", { name: "name", required: true, maxlength: "100", "aria-label": t("live.name"), placeholder: t("live.name") });
  const address = el("input", { name: "address", required: true, autocomplete: "off", "aria-label": t("live.address"), placeholder: t("live.address") });
  const form = el("form", { class: "actions", onsubmit: add }, name, address, el("button", { class: "button" }, t("live.add")));
  let watched = null;

  function draw(cameras) {
    list.replaceChildren(...cameras.map(row));
    if (!cameras.some((camera) => camera.name === watched?.name)) { watched?.stop(); watched = null; view.replaceChildren(); }
    if (!cameras.length) list.append(el("li", {}, emptyState(t("live.none"))));
  }

  function row(camera) {
    return el(
      "li",
      {},
      button(camera.name, { run: () => { watched?.stop(); watched = watch(camera.name, view); } }),
      el("span", { class: "quiet" }, camera.address),
      button(t("live.remove"), { run: () => remove(camera.name), "aria-label": `${t("live.remove")}: ${camera.name}` }),
    );
  }

  async function add(event) {
    event.preventDefault();
    try {
      draw((await api.post("/cameras", { name: name.value, address: address.value })).cameras);
      form.reset();
    } catch (error) { toastError(error); }
  }

  async function remove(camera) {
    try {
      draw((await api.remove(`/cameras/${encodeURIComponent(camera)}`)).cameras);
    } catch (error) { toastError(error); }
  }

  main.append(pageHead(t("live.title"), t("live.text")), form, list, view);
  draw((await api.get("/cameras")).cameras);
  return { stop: () => watched?.stop() };
}

/** Show a camera until `stop`. */
function watch(name, view) {
  const canvas = el("canvas", { role: "img", "aria-label": t("live.picture", { name }) });
  const status = el("p", { role: "status" }, t("live.state.starting"));
  const speed = el("p", { class: "quiet" });
  const visits = el("ol", { class: "visits" });
  view.replaceChildren(el("h2", {}, name), status, canvas, speed, el("h3", {}, t("live.visits")), visits);
  const seen = new Set();
  const times = [];
  let socket;
  let stopped = false;
  let retry;

  function connect() {
    socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/api/v1/cameras/${encodeURIComponent(name)}/live`);
    socket.binaryType = "arraybuffer";
    socket.onmessage = receive;
    socket.onclose = () => {
      if (stopped) return;
      status.textContent = t("live.state.stopped");
      retry = setTimeout(connect, 2000);
    };
  }

  async function receive({ data }) {
    const from = socket;
    const length = new DataView(data).getUint32(0);
    const header = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, length)));
    try {
      if (header.state === "picture") await drawFrame(header, new Uint8Array(data, 4 + length));
      const words = header.state === "picture" ? "" : t(STATES[header.state]);
      if (status.textContent !== words) status.textContent = words;
      if (FINAL.includes(header.state)) stopped = true;
      for (const visit of header.visits ?? []) addVisit(visit);
    } finally {
      if (from.readyState === WebSocket.OPEN) from.send("seen");
    }
  }

  async function drawFrame(header, jpeg) {
    const picture = await createImageBitmap(new Blob([jpeg], { type: "image/jpeg" }));
    if (canvas.width !== picture.width || canvas.height !== picture.height) Object.assign(canvas, { width: picture.width, height: picture.height });
    const context = canvas.getContext("2d");
    context.drawImage(picture, 0, 0);
    for (const face of header.faces) drawFace(context, face, picture);
    picture.close();
    times.push(performance.now());
    if (times.length > SPAN) times.shift();
    const fps = times.length > 1 ? (1000 * (times.length - 1)) / (times.at(-1) - times[0]) : 0;
    Object.assign(canvas.dataset, { frames: Number(canvas.dataset.frames ?? 0) + 1, lag: Math.round(Date.now() - 1000 * header.captured) });
    speed.textContent = t("live.speed", { fps: fps.toFixed(0), lag: canvas.dataset.lag });
  }

  function addVisit(visit) {
    const key = `${visit.at} ${visit.track} ${visit.kind}`;
    if (seen.has(key)) return;
    seen.add(key);
    const who = !visit.name || visit.name === "unknown" ? t("live.unknown") : visit.name;
    visits.prepend(el("li", {}, t(VISITS[visit.kind], { time: new Date(1000 * visit.at).toLocaleTimeString(), name: who })));
    if (visits.children.length > 200) visits.lastChild.remove();
  }

  connect();
  return { name, stop: () => { stopped = true; clearTimeout(retry); socket.close(); } };
}

function drawFace(context, face, picture) {
  const [left, top, right, bottom] = face.box.map((value, i) => value * (i % 2 ? picture.height : picture.width));
  if (settings.blur) {
    context.save();
    context.beginPath();
    context.rect(left, top, right - left, bottom - top);
    context.clip();
    context.filter = `blur(${Math.max(8, Math.round((right - left) / 4))}px)`;
    context.drawImage(picture, 0, 0);
    context.restore();
  }
  context.strokeStyle = face.accepted ? "#35c46a" : "#e0a020";
  context.lineWidth = 3;
  context.strokeRect(left, top, right - left, bottom - top);
  if (!face.accepted || !face.name) return;
  context.font = "20px sans-serif";
  context.lineWidth = 4;
  context.strokeStyle = "#000";
  context.fillStyle = "#fff";
  context.strokeText(face.name, left, top > 24 ? top - 6 : bottom + 22);
  context.fillText(face.name, left, top > 24 ? top - 6 : bottom + 22);
}

// Live: the workspace's cameras and the browser's own; picture, boxes and names of one frame, visits below.

import { api } from "../parts/api.js";
import { button, el } from "../parts/dom.js";
import { setPageKeys } from "../parts/keys.js";
import { liveCanvas } from "../parts/live_canvas.js";
import { emptyState, pageHead } from "../parts/page.js";
import { explain, toastError } from "../parts/toast.js";
import { visitList } from "../parts/visits.js";
import { t } from "../parts/words.js";

const FINAL = { unknown_camera: "live.state.unknown_camera", no_head: "error.no_head" };
const WIDEST = 960;

export async function show(main) {
  const list = el("ul", { class: "cameras" });
  const view = el("section", { class: "live-view" });
  const name = el("input", { class: "field", name: "name", required: true, maxlength: "100", "aria-label": t("live.name"), placeholder: t("live.name") });
  const address = el("input", { class: "field", name: "address", required: true, autocomplete: "off", "aria-label": t("live.address"), placeholder: t("live.address") });
  const form = el("form", { class: "camera-form", onsubmit: add }, name, address, el("button", { class: "button" }, t("live.add")));
  const own = button(t("live.webcam"), { iconName: "camera", run: () => look(watchWebcam, "") });
  let cameras = [];
  let watched = null;

  function look(begin, camera) {
    watched?.stop();
    watched = begin(camera, view);
  }

  function draw(found) {
    cameras = found;
    list.replaceChildren(...cameras.map(row));
    if (watched?.name && !cameras.some((camera) => camera.name === watched.name)) { watched.stop(); watched = null; view.replaceChildren(); }
    if (!cameras.length) list.append(el("li", {}, emptyState(t("live.none"))));
  }

  function row(camera) {
    return el(
      "li",
      {},
      button(camera.name, { run: () => look(watch, camera.name) }),
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

  function next() {
    if (cameras.length) look(watch, cameras[(cameras.findIndex((camera) => camera.name === watched?.name) + 1) % cameras.length].name);
  }

  main.append(pageHead(t("live.title"), t("live.text")), form, list, el("div", { class: "actions" }, own), view);
  setPageKeys([
    { key: "c", words: "key.next_camera", run: next },
    { key: "f", words: "key.face_in_picture", run: () => watched?.focusFace() },
    { key: "v", words: "key.newest_visit", run: () => view.querySelector(".visits button")?.focus() },
    { key: "w", words: "key.webcam", run: () => look(watchWebcam, "") },
  ]);
  draw((await api.get("/cameras")).cameras);
  return { stop: () => watched?.stop() };
}

/** Show a camera until `stop`. */
function watch(name, view) {
  const visits = visitList(name);
  const picture = liveCanvas({ label: t("live.picture", { name }), onFace: visits.ask });
  const status = el("p", { role: "status" }, t("live.state.starting"));
  view.replaceChildren(el("h2", {}, name), status, picture.element, el("h3", {}, t("live.visits")), visits.element);
  let socket;
  let stopped = false;
  let retry;

  function connect() {
    socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/api/v1/cameras/${encodeURIComponent(name)}/live`);
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => (typeof data === "string" ? visits.update() : receive(data));
    socket.onclose = () => {
      if (stopped) return;
      say(t("live.state.offline"));
      retry = setTimeout(connect, 2000);
    };
  }

  function say(words) {
    if (status.textContent !== words) status.textContent = words;
    if (words) picture.clearFaces();
  }

  async function receive(data) {
    const from = socket;
    const length = new DataView(data).getUint32(0);
    const header = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, length)));
    try {
      if (header.state === "picture") {
        const bitmap = await createImageBitmap(new Blob([new Uint8Array(data, 4 + length)], { type: "image/jpeg" }));
        if (!stopped) picture.draw(bitmap, header.faces, header.captured);
        bitmap.close();
      }
      say(describe(header));
      if (header.state in FINAL) stopped = true;
    } finally {
      if (from.readyState === WebSocket.OPEN) from.send("seen");
    }
  }

  connect();
  return { name, focusFace: () => picture.firstFace()?.focus(), stop: () => { stopped = true; clearTimeout(retry); socket.close(); visits.stop(); } };
}

/** Say in words what a message without a picture tells. */
function describe({ state, reason = "", again_s: again = 0 }) {
  if (state === "picture") return "";
  if (state in FINAL) return t(FINAL[state]);
  if (state === "stopped") return t("live.state.stopped", { reason: reason || t("live.no_reason"), seconds: Math.ceil(again) });
  return reason ? t("live.state.waiting", { reason }) : t("live.state.starting");
}

/** Show the browser's own camera with names: frames go to the server, names come back, nothing is kept. */
function watchWebcam(_, view) {
  const video = el("video", { muted: true, playsinline: true });
  const picture = liveCanvas({ label: t("live.webcam") });
  const status = el("p", { role: "status" }, t("live.state.starting"));
  view.replaceChildren(el("h2", {}, t("live.webcam")), el("p", { class: "quiet" }, t("live.webcam_text")), status, picture.element);
  let stream = null;
  let stopped = false;

  async function run() {
    stream = await navigator.mediaDevices.getUserMedia({ video: { width: WIDEST } });
    if (stopped) { stop(); return; }
    video.srcObject = stream;
    await video.play();
    while (!stopped) await oneFrame();
  }

  async function oneFrame() {
    const captured = Date.now() / 1000;
    const frame = await createImageBitmap(video);
    const sent = el("canvas", { width: frame.width, height: frame.height });
    sent.getContext("2d").drawImage(frame, 0, 0);
    const jpeg = await new Promise((resolve) => sent.toBlob(resolve, "image/jpeg", 0.85));
    const { faces } = await api.send("/recognize", jpeg);
    const boxes = faces.map(({ box, name }) => ({ name: name === "unknown" ? "" : name, box: box.map((side, i) => side / (i % 2 ? frame.height : frame.width)) }));
    if (!stopped) picture.draw(frame, boxes, captured);
    frame.close();
    if (status.textContent) status.textContent = "";
  }

  function stop() {
    stopped = true;
    stream?.getTracks().forEach((track) => track.stop());
  }

  run().catch((error) => {
    stop();
    status.textContent = error.kind ? explain(error) : t("try.no_camera");
  });
  return { name: null, focusFace: () => {}, stop };
}

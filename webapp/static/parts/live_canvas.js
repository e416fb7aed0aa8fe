// A live picture: frame, boxes and names on one canvas, so that boxes belong to their frame; a button over each face.

import { el } from "./dom.js";
import { settings } from "./settings.js";
import { t } from "./words.js";

const SPAN = 30;

/** Make the picture; `onFace(visit)` hears which face was chosen, by its visit's number. */
export function liveCanvas({ label, onFace = null }) {
  const canvas = el("canvas", { role: "img", "aria-label": label });
  const faces = el("div", { class: "live-faces" });
  const speed = el("p", { class: "quiet" });
  const buttons = new Map();
  const times = [];

  /** Draw a frame; `boxes` are {box in fractions, name, visit}, `captured` seconds since 1970. */
  function draw(picture, boxes, captured) {
    if (canvas.width !== picture.width || canvas.height !== picture.height) Object.assign(canvas, { width: picture.width, height: picture.height });
    const context = canvas.getContext("2d");
    context.drawImage(picture, 0, 0);
    for (const face of boxes) drawFace(context, face, picture);
    if (onFace) place(boxes.filter(({ visit }) => visit));
    times.push(performance.now());
    if (times.length > SPAN) times.shift();
    const fps = times.length > 1 ? (1000 * (times.length - 1)) / (times.at(-1) - times[0]) : 0;
    Object.assign(canvas.dataset, { frames: Number(canvas.dataset.frames ?? 0) + 1, fps: fps.toFixed(1), lag: Math.round(Date.now() - 1000 * captured) });
    speed.textContent = t("live.speed", { fps: fps.toFixed(0), lag: canvas.dataset.lag });
  }

  /** A face keeps its button, and so its focus, for as long as it is in the picture. */
  function place(boxes) {
    const shown = new Set(boxes.map(({ visit }) => visit));
    for (const [visit, button] of buttons) if (!shown.has(visit)) { button.remove(); buttons.delete(visit); }
    for (const { box: [left, top, right, bottom], name, visit } of boxes) {
      const button = buttons.get(visit) ?? el("button", { type: "button", class: "live-face", onclick: () => onFace(visit) });
      if (!buttons.has(visit)) { buttons.set(visit, button); faces.append(button); }
      const words = t("live.face", { name: name || t("live.unknown") });
      if (button.getAttribute("aria-label") !== words) Object.assign(button, { ariaLabel: words, title: words });
      Object.assign(button.style, { left: `${100 * left}%`, top: `${100 * top}%`, width: `${100 * (right - left)}%`, height: `${100 * (bottom - top)}%` });
    }
  }

  const element = el("div", {}, el("div", { class: "live-picture" }, canvas, faces), speed);
  return { element, draw, clearFaces: () => place([]), firstFace: () => faces.querySelector("button") };
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
  if (face.is_face === false) return; // blurred all the same: somebody may be seen
  context.strokeStyle = face.name ? "#35c46a" : "#e0a020";
  context.lineWidth = 3;
  context.strokeRect(left, top, right - left, bottom - top);
  if (!face.name) return;
  context.font = "20px sans-serif";
  context.lineWidth = 4;
  context.strokeStyle = "#000";
  context.fillStyle = "#fff";
  context.strokeText(face.name, left, top > 24 ? top - 6 : bottom + 22);
  context.fillText(face.name, left, top > 24 ? top - 6 : bottom + 22);
}

// Drawing a box on a picture: by dragging, or with keys that move and resize it.

import { el } from "./dom.js";
import { t } from "./words.js";

const LEAST = 12; // pixels on the screen that tell dragging from clicking
const STEP = 0.01; // of the picture, for each press of an arrow
const SHARE = 0.2; // of the picture's shorter side, a box that keys begin with

const within = (value, least, most) => Math.min(Math.max(value, least), most);

export class BoxDrawing {
  /**
   * Draw on `stage`, an element as large as the picture. `onChange()` hears when a box comes or goes, `onDone()` Enter.
   * `box` is x_min, y_min, x_max, y_max in fractions of the picture, null while there is none.
   */
  constructor(stage, { onChange, onDone }) {
    Object.assign(this, { stage, onChange, onDone, box: null });
    this.element = el("div", { class: "face-box is-drawn", role: "application", tabindex: "0", "aria-label": t("draw.box"), onkeydown: (event) => this.#onKey(event) });
    stage.addEventListener("pointerdown", (event) => this.#onPointer(event));
  }

  /** Begin with a box in the middle. */
  begin() {
    const { width, height } = this.stage.getBoundingClientRect();
    const side = SHARE * Math.min(width, height);
    this.#set([0.5 - side / width / 2, 0.5 - side / height / 2, 0.5 + side / width / 2, 0.5 + side / height / 2]);
    this.#finish();
  }

  /** Take the box away. */
  discard() {
    this.box = null;
    this.element.remove();
    this.onChange();
  }

  #set(box) {
    this.box = box;
    const [left, top, right, bottom] = box;
    Object.assign(this.element.style, { left: `${100 * left}%`, top: `${100 * top}%`, width: `${100 * (right - left)}%`, height: `${100 * (bottom - top)}%` });
    if (this.element.parentNode !== this.stage) this.stage.append(this.element);
  }

  #move([left, top, right, bottom], x, y) {
    const [dx, dy] = [within(x, -left, 1 - right), within(y, -top, 1 - bottom)];
    this.#set([left + dx, top + dy, right + dx, bottom + dy]);
  }

  #finish() {
    this.onChange();
    this.element.focus();
  }

  #onPointer(event) {
    if (event.button || event.target.closest("button")) return;
    const frame = this.stage.getBoundingClientRect();
    const at = ({ clientX, clientY }) => [within((clientX - frame.left) / frame.width, 0, 1), within((clientY - frame.top) / frame.height, 0, 1)];
    const from = at(event);
    const before = event.target === this.element ? this.box : null; // is moved instead of drawing another one
    let isDrawn = false;
    const move = (later) => {
      const far = Math.max(Math.abs(later.clientX - event.clientX), Math.abs(later.clientY - event.clientY));
      if (!isDrawn && far < LEAST) return;
      isDrawn = true;
      const to = at(later);
      if (before) this.#move(before, to[0] - from[0], to[1] - from[1]);
      else this.#set([Math.min(from[0], to[0]), Math.min(from[1], to[1]), Math.max(from[0], to[0]), Math.max(from[1], to[1])]);
    };
    const end = ({ type }) => {
      removeEventListener("pointermove", move);
      removeEventListener("pointerup", end);
      removeEventListener("pointercancel", end);
      if (isDrawn && type === "pointerup") this.#finish();
      else if (isDrawn) this.discard(); // the browser scrolls instead
    };
    if (event.pointerType !== "touch") event.preventDefault(); // the browser would drag the picture
    addEventListener("pointermove", move);
    addEventListener("pointerup", end);
    addEventListener("pointercancel", end);
  }

  #onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const [left, top, right, bottom] = this.box;
    const [x, y] = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] }[event.key] ?? [0, 0];
    if (x || y) {
      if (event.shiftKey) this.#set([left, top, within(right + x, left + 2 * STEP, 1), within(bottom + y, top + 2 * STEP, 1)]);
      else this.#move(this.box, x, y);
    } else if (event.key === "Enter") this.onDone();
    else if (event.key === "Escape") this.discard();
    else return;
    event.preventDefault();
  }
}

// Windowed grid: of thousands of tiles only those in sight exist; data comes in pages when they are looked at.

import { el } from "./dom.js";
import { emptyTile } from "./face.js";
import { toastError } from "./toast.js";

const PAGE = 100;
const ROWS_BEYOND = 2;

export class Grid {
  /**
   * `load(offset, limit)` promises {total, items}; `render(item, index)` makes a tile.
   * `below` is the height in pixels of what a tile has below its square picture.
   * With `isSelectable` it is a listbox whose tiles are options, else a list.
   */
  constructor({ load, render, label, below = 0, isSelectable = false, onSelect = () => {} }) {
    Object.assign(this, { load, render, below, isSelectable, onSelect });
    this.element = el("div", { class: "grid", role: isSelectable ? "listbox" : "list", "aria-label": label, "aria-multiselectable": isSelectable ? "true" : null });
    this.total = 0;
    this.turn = 0;
    this.pages = new Map();
    this.tiles = new Map();
    this.selected = new Set();
    this.active = 0;
    this.anchor = 0;
    this.element.addEventListener("keydown", (event) => this.#onKey(event));
    this.element.addEventListener("click", (event) => this.#onClick(event));
    this.element.addEventListener("focusin", (event) => this.#noteFocus(event.target));
    this.schedule = () => { this.frame ??= requestAnimationFrame(() => this.#draw()); };
    this.observer = new ResizeObserver(this.schedule);
  }

  /** Begin to watch what is in sight; the element must be in the document. Then `reload`. */
  start() {
    this.observer.observe(this.element);
    addEventListener("scroll", this.schedule, { passive: true });
  }

  /** End: listen to nothing any more. */
  stop() {
    this.observer.disconnect();
    removeEventListener("scroll", this.schedule);
    cancelAnimationFrame(this.frame);
  }

  /** Load everything anew, keeping place and focus; nothing is selected then. Promise whether no later call came between. */
  async reload() {
    const ownTurn = (this.turn += 1);
    const first = Math.floor(this.active / PAGE);
    const answers = await Promise.all([...new Set([0, first])].map(async (page) => [page, await this.load(page * PAGE, PAGE)]));
    if (ownTurn !== this.turn) return false; // asked again meanwhile, as by the next letter of a search
    const hadFocus = this.element.contains(document.activeElement); // now: somebody may have gone there meanwhile
    this.pages = new Map(answers.map(([page, { items }]) => [page, items]));
    this.total = answers.at(-1)[1].total;
    this.active = Math.max(0, Math.min(this.active, this.total - 1));
    this.select(new Set());
    this.element.replaceChildren();
    this.tiles.clear();
    this.#draw();
    if (hadFocus) this.focus(this.active);
    return true;
  }

  /** Return an item, undefined while it is not loaded. */
  item(index) {
    const page = this.pages.get(Math.floor(index / PAGE));
    return Array.isArray(page) ? page[index % PAGE] : undefined;
  }

  /** Return the item that has the focus. */
  get focused() {
    return this.element.contains(document.activeElement) ? this.item(this.active) : undefined;
  }

  /** Promise the items of all indices that are selected, in their order. */
  async selectedItems() {
    const indices = [...this.selected].sort((one, two) => one - two);
    await Promise.all([...new Set(indices.map((index) => Math.floor(index / PAGE)))].map((page) => this.#fetch(page)));
    return indices.map((index) => this.item(index)).filter((item) => item !== undefined);
  }

  /** Select exactly the indices of a set. */
  select(indices) {
    this.selected = indices;
    for (const [index, tile] of this.tiles) this.#mark(tile, index);
    this.onSelect(indices.size);
  }

  selectAll() {
    this.select(new Set(Array.from({ length: this.total }, (_, index) => index)));
  }

  /** Select a tile, or not any more; with `isRange` all from the one that was selected last. */
  toggle(index, isRange = false) {
    const chosen = new Set(this.selected);
    if (isRange) {
      const [from, to] = [Math.min(this.anchor, index), Math.max(this.anchor, index)];
      for (let i = from; i <= to; i += 1) chosen.add(i);
    } else {
      if (!chosen.delete(index)) chosen.add(index);
      this.anchor = index;
    }
    this.select(chosen);
  }

  /** Move the focus to a tile, and the tile into sight. */
  focus(index) {
    if (!this.total) return;
    this.active = Math.max(0, Math.min(index, this.total - 1));
    const top = this.element.getBoundingClientRect().top + scrollY + Math.floor(this.active / this.columns) * this.rowHeight;
    const margin = 90;
    if (top < scrollY + margin) scrollTo({ top: Math.max(0, top - margin) });
    else if (top + this.rowHeight > scrollY + innerHeight - margin) scrollTo({ top: top + this.rowHeight - innerHeight + margin });
    this.#draw();
    this.tiles.get(this.active)?.focus({ preventScroll: true });
  }

  #measure() {
    const style = getComputedStyle(this.element);
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const least = parseFloat(style.getPropertyValue("--tile")) * rem;
    this.gap = rem;
    const width = this.element.clientWidth;
    this.columns = Math.max(1, Math.floor((width + this.gap) / (least + this.gap)));
    this.tileWidth = (width - this.gap * (this.columns - 1)) / this.columns;
    this.rowHeight = this.tileWidth + this.below + this.gap;
  }

  #draw() {
    this.frame = undefined;
    this.#measure();
    const nRows = Math.ceil(this.total / this.columns);
    this.element.style.height = `${Math.max(0, nRows * this.rowHeight - this.gap)}px`;
    const top = -this.element.getBoundingClientRect().top;
    const first = Math.max(0, Math.floor(top / this.rowHeight) - ROWS_BEYOND) * this.columns;
    const last = Math.min(this.total, (Math.ceil((top + innerHeight) / this.rowHeight) + ROWS_BEYOND) * this.columns);
    for (const [index, tile] of this.tiles) {
      const isKept = (index >= first && index < last) || tile.contains(document.activeElement);
      if (!isKept) { tile.remove(); this.tiles.delete(index); }
    }
    for (let index = first; index < last; index += 1) this.#place(index);
    if (this.active < this.total) this.#place(this.active);
  }

  #place(index) {
    let tile = this.tiles.get(index);
    if (tile === undefined) {
      tile = this.#make(index);
      this.tiles.set(index, tile);
      const after = [...this.tiles.keys()].filter((other) => other > index).sort((one, two) => one - two)[0];
      this.element.insertBefore(tile, after === undefined ? null : this.tiles.get(after));
    }
    const [row, column] = [Math.floor(index / this.columns), index % this.columns];
    tile.style.width = `${this.tileWidth}px`;
    tile.style.transform = `translate(${column * (this.tileWidth + this.gap)}px, ${row * this.rowHeight}px)`;
    this.#focusable(tile).tabIndex = index === this.active ? 0 : -1;
  }

  #make(index) {
    const item = this.item(index);
    if (item === undefined) this.#fetch(Math.floor(index / PAGE));
    const role = this.isSelectable ? "option" : "listitem";
    const made = item === undefined ? emptyTile(role) : this.render(item, index);
    const tile = this.isSelectable || item === undefined ? made : el("div", { role }, made);
    if (!this.isSelectable && item !== undefined) tile.focus = (options) => made.focus(options);
    tile.dataset.index = index;
    tile.setAttribute("aria-posinset", index + 1);
    tile.setAttribute("aria-setsize", this.total);
    this.#mark(tile, index);
    return tile;
  }

  #focusable(tile) {
    return tile.querySelector("a") ?? tile;
  }

  #mark(tile, index) {
    if (this.isSelectable) tile.setAttribute("aria-selected", String(this.selected.has(index)));
  }

  async #fetch(page) {
    if (this.pages.has(page)) return this.pages.get(page);
    const pages = this.pages;
    const coming = this.load(page * PAGE, PAGE).then(({ items }) => {
      pages.set(page, items);
      if (pages === this.pages) this.#renew(page);
    });
    pages.set(page, coming);
    return coming.catch((error) => { pages.delete(page); toastError(error); });
  }

  #renew(page) {
    for (const [index, tile] of [...this.tiles]) {
      if (Math.floor(index / PAGE) !== page) continue;
      const hadFocus = tile.contains(document.activeElement);
      tile.remove();
      this.tiles.delete(index);
      this.#place(index);
      if (hadFocus) this.tiles.get(index).focus({ preventScroll: true });
    }
  }

  #noteFocus(target) {
    const index = Number(target.closest("[data-index]")?.dataset.index);
    if (Number.isNaN(index) || index === this.active) return;
    const before = this.tiles.get(this.active);
    if (before) this.#focusable(before).tabIndex = -1;
    this.active = index;
    this.#focusable(this.tiles.get(index)).tabIndex = 0;
  }

  #onClick(event) {
    const tile = event.target.closest("[data-index]");
    if (!this.isSelectable || tile === null) return;
    const index = Number(tile.dataset.index);
    this.focus(index);
    this.toggle(index, event.shiftKey);
  }

  #onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const rows = Math.max(1, Math.floor(innerHeight / this.rowHeight) - 1);
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.columns, ArrowDown: this.columns, PageUp: -rows * this.columns, PageDown: rows * this.columns, Home: -this.total, End: this.total };
    if (event.key in steps) {
      event.preventDefault();
      const from = this.active;
      this.focus(this.active + steps[event.key]);
      if (event.shiftKey && this.isSelectable) {
        if (!this.selected.size) this.anchor = from;
        this.toggle(this.active, true);
      }
    } else if (event.key === " " && this.isSelectable) {
      event.preventDefault();
      this.toggle(this.active, event.shiftKey);
    }
  }
}

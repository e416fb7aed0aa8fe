// Name box: a field that completes the names of people who are known.

import { api } from "./api.js";
import { el } from "./dom.js";
import { thumb } from "./face.js";
import { toastError } from "./toast.js";
import { formatNumber, t } from "./words.js";

const MOST = 8;
let n = 0;

/**
 * Make a field with completion. `onPick(name, person)` hears what was chosen; person is null for a name that is new.
 * `element` goes into the page, `value` is what is typed, `person` whom that is.
 */
export class NameBox {
  constructor({ label, value = "", placeholder = "", except = null, onPick = () => {} }) {
    const id = `names-${(n += 1)}`;
    Object.assign(this, { except, onPick, people: [], active: -1 });
    this.input = el("input", {
      class: "field", type: "text", value, placeholder, maxlength: 200, autocomplete: "off", spellcheck: "false",
      role: "combobox", "aria-label": label, "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": id,
      oninput: () => this.#search(), onkeydown: (event) => this.#onKey(event), onblur: () => this.#show([]),
    });
    this.list = el("ul", { class: "completions", id, role: "listbox", "aria-label": t("names.list"), hidden: true });
    this.element = el("div", { class: "name-box" }, this.input, this.list);
  }

  get value() {
    return this.input.value.trim();
  }

  /** Promise the person who is called as is typed, null for nobody. */
  async person() {
    const name = this.value;
    if (!name) return null;
    const { people } = await api.get("/people", { q: name, hidden: true, limit: 100 });
    return people.find((person) => person.name === name && person.id !== this.except) ?? null;
  }

  async #search() {
    this.controller?.abort();
    this.controller = new AbortController();
    if (!this.value) { this.#show([]); return; }
    try {
      const { people } = await api.get("/people", { q: this.value, hidden: true, limit: MOST + 1 }, this.controller.signal);
      if (document.activeElement === this.input) this.#show(people.filter((person) => person.id !== this.except).slice(0, MOST));
    } catch (error) {
      toastError(error);
    }
  }

  #show(people) {
    this.people = people;
    this.active = -1;
    this.list.hidden = people.length === 0;
    this.input.setAttribute("aria-expanded", String(people.length > 0));
    this.list.replaceChildren(...people.map((person, index) => this.#option(person, index)));
    this.#mark();
  }

  #option(person, index) {
    const pick = (event) => { event.preventDefault(); this.#pick(index); };
    return el("li", { id: `${this.list.id}-${index}`, role: "option", onmousedown: pick }, thumb(person.cover), el("span", {}, person.name), el("span", { class: "count" }, formatNumber(person.n_faces)));
  }

  #mark() {
    [...this.list.children].forEach((option, index) => option.setAttribute("aria-selected", String(index === this.active)));
    if (this.active < 0) this.input.removeAttribute("aria-activedescendant");
    else this.input.setAttribute("aria-activedescendant", this.list.children[this.active].id);
  }

  #pick(index) {
    const person = this.people[index];
    this.input.value = person.name;
    this.#show([]);
    this.onPick(person.name, person);
  }

  #onKey(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && this.people.length) {
      event.preventDefault();
      const all = this.people.length + 1; // the last place is the field itself
      this.active = ((this.active + 1 + step + all) % all) - 1;
      this.#mark();
    } else if (event.key === "Tab" && this.people.length && this.active < 0 && !event.shiftKey) {
      event.preventDefault();
      this.#pick(0);
    } else if (event.key === "Enter" && this.active >= 0) {
      event.preventDefault();
      this.#pick(this.active);
    } else if (event.key === "Escape" && this.people.length) {
      event.preventDefault();
      event.stopPropagation();
      this.#show([]);
    }
  }
}

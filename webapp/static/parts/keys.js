// Keys: each page says what its keys do; `?` shows them all.

import { openDialog } from "./dialog.js";
import { el, isTyping } from "./dom.js";
import { t } from "./words.js";

const SEQUENCE_MS = 1500;

const everywhere = [];
let here = [];
let first = { key: "", at: 0 };

/** A key of the grid, shown in the overlay only: parts/grid.js listens itself. */
export const GRID_KEYS = [
  { keys: ["←", "→", "↑", "↓"], words: "key.move" },
  { keys: ["Home", "End"], words: "key.ends" },
];

/** Say what keys do on all pages: [{key, words, run}]; a key of two, such as "g p", is typed one after the other. */
export function addKeys(keys) {
  everywhere.push(...keys);
}

/** Say what keys do on this page, in the place of those of the page before. */
export function setPageKeys(keys) {
  here = keys;
}

/** Begin to listen. */
export function listenForKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (isTyping(event.target) || document.querySelector("dialog[open]")) return;
    const both = event.timeStamp - first.at < SEQUENCE_MS ? `${first.key} ${event.key}` : "";
    first = { key: event.key, at: event.timeStamp };
    const all = [...here, ...everywhere];
    const found = all.find(({ key }) => key === both) ?? all.find(({ key }) => key === event.key);
    if (!found?.run) return;
    event.preventDefault();
    found.run(event);
  });
}

/** Show all keys. */
export function showKeys() {
  const rows = (keys) => keys.flatMap(({ key, keys: several = key === " " ? [key] : key.split(" "), words }) => [el("dt", {}, ...several.map((one) => el("kbd", {}, one === " " ? "␣" : one))), el("dd", {}, t(words))]);
  const part = (title, keys) => (keys.length ? [el("h3", {}, t(title)), el("dl", { class: "keys" }, ...rows(keys))] : []);
  const grid = document.querySelector(".grid") ? GRID_KEYS : [];
  return openDialog({
    title: t("keys.title"),
    body: el("div", { class: "all-keys", tabindex: "0" }, ...part("keys.here", here), ...part("keys.grid", grid), ...part("keys.everywhere", everywhere)),
    cancel: t("close"),
  });
}

// The list that a photo is shown in: which stands before and after it, by link and by key.

import { api } from "./api.js";
import { el, icon } from "./dom.js";
import { t } from "./words.js";

/**
 * Promise {element, keys} of the list that the address asks for; a photo that was opened alone stands in its folder.
 *
 * Going on replaces the photo in the browser's history, so that going back leads to the list.
 */
export async function photoList(photo, go) {
  const folder = photo.path.includes("/") ? photo.path.slice(0, photo.path.lastIndexOf("/")) : "";
  const query = location.search || `?${new URLSearchParams(folder ? { folder } : {})}`;
  const { index, total, previous, next } = await api.get(`/photos/${photo.photo}/beside${query}`);
  const open = (number) => number !== null && go(`/photos/${number}${location.search}`, { replace: true });

  function link(number, name, kind) {
    if (number === null) return null;
    return el("a", { class: `button is-plain is-icon ${kind}`, href: `/photos/${number}${location.search}`, title: name, "aria-label": name, onclick: (event) => { if (event.ctrlKey || event.metaKey || event.shiftKey) return; event.preventDefault(); open(number); } }, icon("back"));
  }

  const place = index === null ? null : el("span", { class: "quiet" }, t("photo.place", { index: index + 1, total }));
  const toFolder = folder ? el("a", { class: "button is-plain", href: `/find?${new URLSearchParams({ folder })}` }, icon("folder"), t("photo.folder")) : null;
  return {
    element: el("span", { class: "photo-list" }, toFolder, link(previous, t("photo.previous"), ""), place, link(next, t("photo.following"), "is-next")),
    keys: [
      { key: "ArrowLeft", keys: ["←"], words: "photo.previous", run: () => open(previous) },
      { key: "ArrowRight", keys: ["→"], words: "photo.following", run: () => open(next) },
    ],
  };
}

// Photo tile: a photo made small, who is on it and when it was taken; a video is told as one.

import { api } from "./api.js";
import { el, icon } from "./dom.js";
import { formatMoment, formatSeconds, formatShare, t } from "./words.js";

/** Make a tile that leads to a photo within the list that `query`, as in an address, asks for. */
export function photoTile(photo, query) {
  const taken = photo.taken ? formatMoment(photo.taken) : photo.path.split("/").at(-1);
  const copies = photo.paths.length > 1 ? ` · ${t("photo.places", { n: photo.paths.length })}` : "";
  const alike = photo.alike === null ? "" : `${t("find.alike", { similarity: formatShare(photo.alike) })} · `;
  // Names and file names may be written from right to left, or say so for what follows them.
  const names = photo.names.flatMap((name, place) => [place ? ", " : "", el("bdi", {}, name)]);
  return el(
    "a",
    { class: "tile", href: `/photos/${photo.photo}${query}`, title: photo.paths.join("\n") },
    still(photo),
    el("div", { class: "name" }, ...(names.length ? names : [t("n_faces", { n: photo.n_faces })])),
    el("div", { class: "count" }, alike, el("bdi", {}, taken), copies),
  );
}

function still(photo) {
  const frame = el("div", { class: "thumb" });
  frame.append(el("img", { src: api.photoThumbnail(photo), alt: photo.path, loading: "lazy", decoding: "async", onerror: (event) => { event.target.remove(); frame.classList.add("is-missing"); } }));
  if (photo.kind === "video") frame.append(el("span", { class: "second" }, icon("camera"), t("photo.video", { time: formatSeconds(photo.time_s) })));
  return frame;
}

// Start: what is here, and what needs attention.

import { api } from "../parts/api.js";
import { el } from "../parts/dom.js";
import { pageHead } from "../parts/page.js";
import { formatNumber, t } from "../parts/words.js";

export async function show(main) {
  const { name, counts, needs, photo_folders: folders } = await api.get("/workspace");
  const figure = (words, n, href) => el(href ? "a" : "div", { class: "figure", href }, el("strong", {}, formatNumber(n)), el("span", { class: "quiet" }, t(words)));
  main.append(
    pageHead(t("start.title", { name }), null),
    el("div", { class: "figures" }, figure("start.photos", counts.photos), figure("start.faces", counts.faces), figure("start.people", counts.people, "/people"), figure("start.unnamed", counts.unnamed)),
    ...needs.map(({ kind, n }) => el("p", {}, t(`start.${kind}`, { n }))),
    el("h2", {}, t("start.folders")),
    el("ul", { class: "quiet" }, ...folders.map((folder) => el("li", {}, folder))),
  );
}

// Why: the photos that make a face somebody's, and how alike they are.

import { api } from "./api.js";
import { openDialog } from "./dialog.js";
import { el } from "./dom.js";
import { thumb } from "./face.js";
import { explain } from "./toast.js";
import { formatShare, t } from "./words.js";

/** Show why a face has, or would be given, its name. */
export async function showWhy(face) {
  const body = el("div", { class: "why", tabindex: "0" });
  try {
    const why = await api.get(`/faces/${encodeURIComponent(face.key)}/why`);
    const said = why.accepted ? "why.accepted" : "why.refused";
    body.append(
      el("div", { class: "why-face" }, thumb(face.key)),
      el("p", {}, t(said, { name: why.name, score: formatShare(why.score), threshold: formatShare(why.threshold) })),
      why.second ? el("p", { class: "quiet" }, t("why.second", { name: why.second, margin: formatShare(why.margin) })) : el("span"),
      el("h3", {}, t("why.nearest")),
      el("ol", { class: "why-nearest" }, ...why.nearest.map((one) =>
        el("li", {}, thumb(one.key), el("span", { class: "name" }, one.name), el("span", { class: "quiet" }, formatShare(one.similarity)), one.decides ? el("span", { class: "decides" }, t("why.decides")) : null))),
    );
  } catch (error) {
    body.append(el("p", {}, error.kind === "no_head" ? t("why.no_head") : explain(error)));
  }
  await openDialog({ title: t("why.title"), body, cancel: t("close") });
}

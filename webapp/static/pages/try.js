// Try: who is on a picture, and are two pictures of one person; nothing of it is kept.

import { api } from "../parts/api.js";
import { el } from "../parts/dom.js";
import { pictureWithBoxes } from "../parts/face_boxes.js";
import { setPageKeys } from "../parts/keys.js";
import { pageHead } from "../parts/page.js";
import { pictureDrop } from "../parts/picture_drop.js";
import { explain } from "../parts/toast.js";
import { formatShare, t } from "../parts/words.js";

export async function show(main) {
  const result = el("section", { class: "try-result", "aria-live": "polite" });
  const compared = el("section", { class: "try-result", "aria-live": "polite" });
  const sides = [null, null];
  let turn = 0;

  async function recognize(blob) {
    const own = (turn += 1);
    result.replaceChildren(el("p", { role: "status" }, t("try.looking")));
    let found;
    try {
      found = await api.send("/recognize", blob);
    } catch (error) {
      if (own === turn) result.replaceChildren(el("p", { role: "alert" }, explain(error)));
      return;
    }
    if (own !== turn) return;
    const faces = found.faces.map((face) => ({ ...face, isKnown: face.name !== "unknown", text: face.name === "unknown" ? t("try.unknown") : face.name }));
    result.replaceChildren(
      pictureWithBoxes(blob, { ...found, faces }),
      faces.length
        ? el("ol", { class: "found" }, ...faces.map((face) => el("li", {}, el("strong", {}, face.text), el("span", { class: "quiet" }, t("try.score", { score: formatShare(face.score), threshold: formatShare(face.threshold) })), el("span", { class: "quiet" }, t("try.nearest", { names: face.nearest.map(({ name, score }) => `${name} ${formatShare(score)}`).join(", ") })))))
        : el("p", {}, t("try.no_face")),
    );
  }

  async function compare(place, blob) {
    sides[place] = blob;
    previews[place].replaceChildren(pictureWithBoxes(blob, { width: 1, height: 1, faces: [] }));
    if (sides.includes(null)) return;
    compared.replaceChildren(el("p", { role: "status" }, t("try.looking")));
    try {
      const { a, b, similarity } = await api.sendForm("/recognize/compare", { a: sides[0], b: sides[1] });
      const text = a === null || b === null ? t("try.no_face") : t("try.similarity", { similarity: formatShare(similarity) });
      compared.replaceChildren(el("p", { class: "verdict" }, text));
    } catch (error) {
      compared.replaceChildren(el("p", { role: "alert" }, explain(error)));
    }
  }

  const drop = pictureDrop({ label: t("try.drop"), onPicture: recognize });
  const drops = [0, 1].map((place) => pictureDrop({ label: t(place ? "try.second" : "try.first"), onPicture: (blob) => compare(place, blob) }));
  const previews = [el("div", { class: "preview" }), el("div", { class: "preview" })];
  main.append(
    pageHead(t("try.title"), t("try.text")),
    drop.element,
    result,
    el("h2", {}, t("try.compare")),
    el("div", { class: "sides" }, ...drops.map(({ element }, place) => el("div", {}, element, previews[place]))),
    compared,
  );
  setPageKeys([{ key: "o", words: "key.choose_picture", run: () => drop.input.click() }]);
  return { stop: () => [drop, ...drops].forEach((one) => one.stop()) };
}

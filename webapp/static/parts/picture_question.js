// Asking by a picture: dropped, chosen or taken with the webcam; one of its faces is what photos shall be like.

import { api } from "./api.js";
import { button, el } from "./dom.js";
import { pictureWithBoxes } from "./face_boxes.js";
import { pictureDrop } from "./picture_drop.js";
import { explain } from "./toast.js";
import { formatNumber, t } from "./words.js";

const shown = new Map(); // the pictures of this tab by the first half of `like`, so that going back shows them again

/** Make the question; `like` is the face that is asked for now, "" for none; `onLike(like)` hears another one. */
export function pictureQuestion({ like, onLike }) {
  const result = el("div", { class: "asked-picture", "aria-live": "polite" });
  let turn = 0;

  async function look(blob) {
    const own = (turn += 1);
    result.replaceChildren(el("p", { role: "status" }, t("try.looking")));
    try {
      const found = await api.send("/find/by-photo", blob);
      if (own !== turn) return;
      if (found.main === null) { result.replaceChildren(el("p", { role: "alert" }, t("try.no_face"))); return; }
      const chosen = found.faces[found.main].like;
      shown.set(wordOf(chosen), { blob, found });
      onLike(chosen);
    } catch (error) {
      if (own === turn) result.replaceChildren(el("p", { role: "alert" }, explain(error)));
    }
  }

  const drop = pictureDrop({ label: t("find.drop"), onPicture: look });
  const element = el("details", { class: "picture-question", open: like !== "" }, el("summary", {}, t("find.by_picture")), drop.element, result);
  if (like) result.replaceChildren(...askedPicture(like, onLike));
  return { element, stop: drop.stop, open: () => { element.open = true; drop.element.querySelector("button").focus(); } };
}

const wordOf = (like) => like.split(".")[0];

/** Make the picture with its faces, each of which can be asked for; all that is left after a reload is to end it. */
function askedPicture(like, onLike) {
  const kept = shown.get(wordOf(like));
  const end = button(t("find.like_picture"), { iconName: "close", kind: "chip", "aria-label": t("find.end_like"), run: () => onLike("") });
  if (!kept) return [end];
  const { blob, found } = kept;
  const faces = found.faces.map((face, index) => ({ box: face.box, text: formatNumber(index + 1), isKnown: face.like === like }));
  const choice = found.faces.length > 1 ? found.faces.map((face, index) => el("li", {}, button(t("find.like_face", { n: index + 1 }), { kind: "chip", "aria-pressed": String(face.like === like), run: () => onLike(face.like) }))) : [];
  return [pictureWithBoxes(blob, { ...found, faces }), el("ul", { class: "chips" }, ...choice, el("li", {}, end))];
}

// Question: its words, its two sides and what a yes does, as both pages of questions show them.

import { el } from "./dom.js";
import { thumb } from "./face.js";
import { t } from "./words.js";

const values = ({ person, other, n_faces: n }) => ({ name: person?.name ?? "", other: other?.name ?? "", n });

/** Return what is asked. */
export function textOf(question) {
  const { kind, person, other } = question;
  if (kind === "same_person") return t(person && other ? "questions.same_people" : "questions.same_groups", values(question));
  return t(`questions.${kind}`, values(question));
}

/** Return what a yes does. */
export function consequenceOf(question) {
  const n = question.n_settled;
  const faces = t("n_faces", { n });
  if (question.kind === "same_person" && !question.other) return t("questions.then_together", { n, faces });
  if (question.kind === "not_a_face") return t("questions.then_no_face", { n, faces });
  const { name } = question.kind === "same_person" ? question.other : question.person;
  return t("questions.then_named", { n, faces, name });
}

/** Return whether it is about two sets of faces without a name, so that a name for both answers it, too. */
export const isAboutUnnamed = ({ kind, person, other }) => kind === "same_person" && !person && !other;

/** Make the two sides, the faces and whom they are compared with, of each at most `most` faces; a person without is shown by the cover. */
export function sidesOf(question, most = 8) {
  const side = (faces, n, name) => el("div", { class: "side" }, el("div", { class: "side-faces" }, ...faces.slice(0, most).map((face) => thumb(face.key))), el("p", { class: "quiet" }, name ?? t("n_faces", { n })));
  const isPair = question.kind === "same_person";
  const person = isPair ? question.other : question.person;
  const compared = question.others.length ? question.others : person ? [{ key: person.cover }] : [];
  const others = compared.length ? side(compared, question.n_others, person?.name) : null;
  return el("div", { class: "sides" }, side(question.faces, question.n_faces, isPair ? question.person?.name : null), others);
}

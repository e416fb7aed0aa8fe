// Questions that several pages ask in a dialog: a name, with whom to merge.

import { el } from "./dom.js";
import { openDialog } from "./dialog.js";
import * as edits from "./edits.js";
import { NameBox } from "./name_box.js";
import { t } from "./words.js";

/** Promise a name, null if none was given. */
export async function askName({ title, label, submit, value = "" }) {
  const box = new NameBox({ label, value, placeholder: label });
  const isGiven = await openDialog({ title, body: box.element, submit, check: () => box.value !== "" });
  return isGiven ? box.value : null;
}

/** Ask for another name of a person and give it. */
export async function askRename(person, done) {
  const name = await askName({ title: t("rename.title", person), label: t("rename.label"), submit: t("rename.do"), value: person.name });
  if (name !== null && name !== person.name) await edits.rename(person, name, done);
}

/** Ask with whom to merge a person, and do it. */
export async function askMerge(person, done) {
  const box = new NameBox({ label: t("merge.label"), placeholder: t("merge.label"), except: person.id });
  const problem = el("p", { role: "alert" });
  let other = null;
  const check = async () => {
    other = await box.person();
    problem.textContent = other === null ? t("merge.nobody", { name: box.value }) : "";
    return other !== null;
  };
  const body = el("div", {}, box.element, problem);
  if (await openDialog({ title: t("merge.title", person), body, submit: t("merge.do"), check })) await edits.merge(person, other, done);
}

/** Ask whether two people are one, and merge them. */
export async function confirmMerge(person, other, done) {
  const body = el("p", {}, t("merge.confirm", { name: person.name, other: other.name }));
  if (await openDialog({ title: t("merge.title", person), body, submit: t("merge.do") })) await edits.merge(person, other, done);
}

// Edits: each is one decision of the store, says what was seen, and can be taken back from the toast.

import { api } from "./api.js";
import { toast, toastError } from "./toast.js";
import { t } from "./words.js";

/** Return a decision in words; of one that takes back, what it takes back. */
export function describe(decision) {
  if (decision.root) return t(decision.again ? "decision.again" : "decision.undo", { what: describe(decision.root) });
  if (decision.kind === "rename") return describeRename(decision);
  const kind = decision.kind === "same" && decision.text === "drawn" ? "drawn" : decision.kind;
  return t(`decision.${kind}`, { ...decision, faces: t("n_faces", { n: decision.n_faces }) });
}

function describeRename({ name_before: name, text }) {
  if (name === text) return t("decision.renamed", { text }); // the name before was somebody's who was forgotten
  return t("decision.rename", { name, text });
}

/** Its toast outlives the page: another one, opened meanwhile, is shown anew. */
function onSamePage(done) {
  const here = location.href;
  return () => (location.href === here ? done() : document.dispatchEvent(new CustomEvent("decided")));
}

/** Tell a decision, with a button that takes it back; older toasts about the same one go. */
export function tell(decision, done, what = describe(decision)) {
  const text = decision.root && !decision.again ? t("history.redo") : t("undo");
  toast(what, { about: (decision.root ?? decision).id, undo: { text, run: () => undo(decision.id, onSamePage(done)) } });
}

/** Send an edit, call `done` (after its undo and after a conflict, too), and then tell what came of it.
 *
 * Return whether it was decided.
 */
async function edit(send, done) {
  const renew = onSamePage(done);
  try {
    const decision = await send();
    await done();
    tell(decision, renew);
    return true;
  } catch (error) {
    toastError(error);
    if (error.kind === "conflict") await done();
    return false;
  }
}

const seenFace = ({ key, state, person }) => ({ key, state, person });
const seenPerson = ({ name, hidden }) => ({ name, hidden });

/** Decide about faces: `what` is {kind, name?, person?}. */
export const decide = (faces, what, done) => edit(() => api.post("/faces/decide", { ...what, faces: faces.map(seenFace) }), done);

/** Say who a visit to a camera was or was not: `what` is {kind, name}. */
export async function decideVisit(visit, what, done) {
  let reasons = [];
  await edit(async () => {
    const said = await api.post(`/visits/${visit}/decide`, what);
    ({ reasons } = said);
    return said.decision;
  }, done);
  if (reasons.length) toast(t("live.not_yet", { reason: reasons.join("; ") }));
}
/** Say that there is a face in a box, in fractions of the photo; `name` is null where nobody knows whose. */
export const draw = (photo, box, name, done) => edit(() => api.post(`/photos/${photo}/faces`, { box, name }), done);

export const rename = (person, name, done) => edit(() => api.patch(`/people/${person.id}`, { name, expected: seenPerson(person) }), done);

export const hide = (person, done) => edit(() => api.patch(`/people/${person.id}`, { hidden: !person.hidden, expected: seenPerson(person) }), done);

/** Let a face stand for its person. */
export const chooseCover = (person, face, done) => edit(() => api.post(`/people/${person.id}/cover`, { face: seenFace(face) }), done);

export const merge = (person, other, done) =>
  edit(() => api.post(`/people/${person.id}/merge`, { into: other.id, expected: seenPerson(person), expected_into: seenPerson(other) }), done);

/** Take back a decision, by default the newest. */
export async function undo(decision, done) {
  try {
    const made = await api.post("/history/undo", decision === null ? {} : { decision });
    await done();
    tell(made, done);
  } catch (error) {
    toastError(error);
  }
}

/** Take back decisions that were made together, the newest first. */
export async function undoTogether(decisions, done) {
  try {
    for (const decision of [...decisions].reverse()) await api.post("/history/undo", { decision });
    toast(t("questions.taken_back", { n: decisions.length }));
  } catch (error) {
    toastError(error);
  }
  await done();
}

export async function redo(done) {
  try {
    const made = await api.post("/history/redo", {});
    await done();
    tell(made, done);
  } catch (error) {
    toastError(error);
  }
}

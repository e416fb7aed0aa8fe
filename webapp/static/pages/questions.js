// Same person?: one question at a time, with its evidence and what an answer does.

import { api } from "../parts/api.js";
import { button, el } from "../parts/dom.js";
import * as edits from "../parts/edits.js";
import { thumb } from "../parts/face.js";
import * as jobs from "../parts/job.js";
import { setPageKeys } from "../parts/keys.js";
import { emptyState, pageHead } from "../parts/page.js";
import { toastError } from "../parts/toast.js";
import { formatShare, t } from "../parts/words.js";

export async function show(main) {
  const head = el("div");
  const card = el("section", { class: "question", "aria-live": "polite" });
  main.append(head, card);
  let questions = [];
  let stop = () => {};
  let isAsking = false;

  async function load({ mayLook = true } = {}) {
    const answer = await api.get("/questions");
    ({ questions } = answer);
    if (!questions.length && mayLook && answer.revision < answer.now) { await look(); return; }
    draw();
  }

  /** Look for questions anew, which takes some seconds. */
  async function look() {
    const bar = jobs.progressBar();
    card.replaceChildren(bar.element);
    const job = await jobs.begin("suggest");
    bar.update(job);
    stop = jobs.watch(job, (now) => {
      bar.update(now);
      if (jobs.isOver(now)) load({ mayLook: false }).catch(toastError);
    });
  }

  function draw() {
    head.replaceChildren(pageHead(t("questions.title"), questions.length ? t("questions.left", { n: questions.length }) : null));
    const question = questions[0];
    if (!question) {
      card.replaceChildren(emptyState(t("questions.none"), t("questions.none_text"), button(t("questions.look"), { run: () => look().catch(toastError) })));
      return;
    }
    const row = (faces, n, name) => el("div", { class: "side" }, el("div", { class: "side-faces" }, ...faces.map((face) => thumb(face.key))), el("p", { class: "quiet" }, name ?? t("n_faces", { n })));
    const others = question.others.length ? row(question.others, question.n_others, (question.kind === "same_person" ? question.other : question.person)?.name) : null;
    card.replaceChildren(
      el("h2", { tabindex: "-1" }, textOf(question)),
      el("div", { class: "sides" }, row(question.faces, question.n_faces, question.kind === "same_person" ? question.person?.name : null), others),
      question.evidence.length
        ? el("div", { class: "evidence" }, el("h3", {}, t("questions.evidence")), el("ul", {}, ...question.evidence.map(({ one, two, similarity }) => el("li", {}, thumb(one.key), thumb(two.key), el("span", { class: "quiet" }, formatShare(similarity))))))
        : el("div"),
      question.threshold ? el("p", { class: "quiet" }, t("questions.similarity", { similarity: formatShare(question.similarity), threshold: formatShare(question.threshold) })) : el("div"),
      el("p", {}, consequenceOf(question)),
      el("div", { class: "actions" }, button(t("questions.yes"), { key: "y", kind: "is-main", run: () => give("yes") }), button(t("questions.no"), { key: "n", run: () => give("no") }), button(t("questions.later"), { key: "l", run: () => give("later") })),
    );
  }

  async function give(answer) {
    const question = questions[0];
    if (!question || isAsking) return;
    isAsking = true;
    try {
      const { decision } = await api.post(`/questions/${question.id}/answer`, { answer });
      await load();
      if (decision) edits.tell(decision, load);
    } catch (error) {
      toastError(error);
      if (error.kind === "conflict") await load();
    } finally {
      isAsking = false;
    }
  }

  setPageKeys([
    { key: "y", words: "questions.yes", run: () => give("yes") },
    { key: "n", words: "questions.no", run: () => give("no") },
    { key: "l", words: "questions.later", run: () => give("later") },
    { key: "u", words: "key.undo", run: () => edits.undo(null, load) },
  ]);
  head.replaceChildren(pageHead(t("questions.title"), null));
  await load();
  return { stop: () => stop() };
}

const values = ({ person, other, n_faces: n }) => ({ name: person?.name ?? "", other: other?.name ?? "", n });

function textOf(question) {
  const { kind, person, other } = question;
  if (kind === "same_person") return t(person && other ? "questions.same_people" : "questions.same_groups", values(question));
  return t(`questions.${kind}`, values(question));
}

function consequenceOf(question) {
  const faces = t("n_faces", { n: question.n_settled });
  if (question.kind === "same_person" && !question.other) return t("questions.then_together", { faces });
  if (question.kind === "not_a_face") return t("questions.then_no_face", { faces });
  const name = (question.kind === "same_person" ? question.other : question.person).name;
  return t("questions.then_named", { faces, name });
}

// Same person?: one question at a time, with its evidence and what an answer does.

import { api } from "../parts/api.js";
import { button, el } from "../parts/dom.js";
import * as edits from "../parts/edits.js";
import { thumb } from "../parts/face.js";
import * as jobs from "../parts/job.js";
import { setPageKeys } from "../parts/keys.js";
import { NameBox } from "../parts/name_box.js";
import { emptyState, pageHead } from "../parts/page.js";
import { consequenceOf, isAboutUnnamed, sidesOf, textOf } from "../parts/question.js";
import { toastError } from "../parts/toast.js";
import { formatShare, t } from "../parts/words.js";

export async function show(main, { go }) {
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
    const together = questions.length > 1 ? el("a", { class: "button", href: "/questions/together" }, t("questions.together"), el("kbd", { "aria-hidden": "true" }, "s")) : null;
    head.replaceChildren(pageHead(t("questions.title"), questions.length ? t("questions.left", { n: questions.length }) : null, together));
    const question = questions[0];
    if (!question) {
      card.replaceChildren(emptyState(t("questions.none"), t("questions.none_text"), button(t("questions.look"), { run: () => look().catch(toastError) })));
      return;
    }
    const box = isAboutUnnamed(question) ? nameBox() : null;
    card.replaceChildren(
      el("h2", { tabindex: "-1" }, textOf(question)),
      sidesOf(question),
      question.evidence.length
        ? el("div", { class: "evidence" }, el("h3", {}, t("questions.evidence")), el("ul", {}, ...question.evidence.map(({ one, two, similarity }) => el("li", {}, thumb(one.key), thumb(two.key), el("span", { class: "quiet" }, formatShare(similarity))))))
        : el("div"),
      question.threshold ? el("p", { class: "quiet" }, t("questions.similarity", { similarity: formatShare(question.similarity), threshold: formatShare(question.threshold) })) : el("div"),
      el("p", {}, consequenceOf(question)),
      el("div", { class: "actions" }, button(t("questions.yes"), { key: "y", kind: "is-main", run: () => give("yes") }), button(t("questions.no"), { key: "n", run: () => give("no") }), button(t("questions.later"), { key: "l", run: () => give("later") })),
      box?.element ?? el("div"),
    );
  }

  /** Two groups are one person, and who that is: one answer says both. */
  function nameBox() {
    const box = new NameBox({ label: t("questions.yes_name"), placeholder: t("questions.yes_name") });
    box.element.addEventListener("keydown", (event) => {
      if (event.defaultPrevented || event.key !== "Enter" || !box.value) return;
      event.preventDefault();
      give("yes", box.value);
    });
    return box;
  }

  async function give(answer, name = null) {
    const question = questions[0];
    if (!question || isAsking) return;
    isAsking = true;
    try {
      const { decision } = await api.post(`/questions/${question.id}/answer`, name === null ? { answer } : { answer, name });
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
    { key: "i", words: "questions.yes_name", run: () => card.querySelector("input")?.focus() },
    { key: "s", words: "questions.together", run: () => go("/questions/together") },
    { key: "u", words: "key.undo", run: () => edits.undo(null, load) },
  ]);
  head.replaceChildren(pageHead(t("questions.title"), null));
  await load();
  return { stop: () => stop() };
}

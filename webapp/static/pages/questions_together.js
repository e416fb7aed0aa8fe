// Same person?, several at once: each question is preset to what it probably is, and one button answers all.

import { api } from "../parts/api.js";
import { button, el } from "../parts/dom.js";
import * as edits from "../parts/edits.js";
import { setPageKeys } from "../parts/keys.js";
import { emptyState, pageHead } from "../parts/page.js";
import { consequenceOf, sidesOf, textOf } from "../parts/question.js";
import { toast, toastError } from "../parts/toast.js";
import { t } from "../parts/words.js";

const MOST = 20;
const MOST_FACES = 4;
const ANSWERS = { y: "yes", n: "no", l: "later" };

export async function show(main, { go }) {
  const head = el("div");
  const list = el("ol", { class: "asked-list" });
  const bar = el("div", { class: "answer-bar" });
  main.append(head, list, bar);
  const changed = new Map(); // question -> what was chosen instead of what is likely
  let shown = [];
  let newest = null; // decisions that were made together last
  let isAsking = false;

  async function load() {
    const { questions } = await api.get("/questions");
    shown = questions.slice(0, MOST);
    draw(questions.length);
  }

  function draw(n) {
    const alone = el("a", { class: "button", href: "/questions" }, t("questions.alone"), el("kbd", { "aria-hidden": "true" }, "s"));
    head.replaceChildren(pageHead(t("questions.title"), n ? `${t("questions.left", { n })}. ${t("questions.together_text")}` : null, n ? alone : null));
    list.replaceChildren(...shown.map((question) => el("li", {}, asked(question))));
    if (n) bar.replaceChildren(button(t("questions.answer_all", { n: shown.length }), { kind: "is-main", key: "a", run: answerAll }));
    else bar.replaceChildren(emptyState(t("questions.none"), t("questions.none_text"), el("a", { class: "button", href: "/questions" }, t("questions.look"))));
  }

  /** Make a question whose answer is chosen among three. */
  function asked(question) {
    const chosen = answerTo(question);
    const choice = (answer) => el("label", { class: "check" }, el("input", { type: "radio", name: question.id, value: answer, checked: answer === chosen, onchange: () => changed.set(question.id, answer) }), t(`questions.${answer}`));
    return el(
      "fieldset",
      { class: "asked" },
      el("legend", {}, textOf(question)),
      sidesOf(question, MOST_FACES),
      el("p", { class: "quiet" }, consequenceOf(question)),
      el("div", { class: "choices" }, ...Object.values(ANSWERS).map(choice)),
    );
  }

  const answerTo = (question) => changed.get(question.id) ?? question.likely;

  /** Choose an answer to the question in focus, by default the first, and go on to the next. */
  function choose(answer) {
    const all = [...list.querySelectorAll("fieldset")];
    if (bar.contains(document.activeElement)) return; // behind the last question
    const place = Math.max(0, all.indexOf(document.activeElement?.closest("fieldset")));
    all[place]?.querySelector(`[value=${answer}]`).click();
    focusOn(all[place + 1] ?? bar);
  }

  const focusOn = (place) => place?.querySelector("input:checked, button, a")?.focus();
  const focusFirst = () => focusOn(list.querySelector("fieldset") ?? bar);

  async function answerAll() {
    if (!shown.length || isAsking) return;
    isAsking = true;
    const answers = shown.map((question) => ({ question: question.id, answer: answerTo(question) }));
    try {
      const { decisions } = await api.post("/questions/answer", { answers });
      newest = decisions.filter((decision) => decision !== null).map(({ id }) => id);
      await load();
      scrollTo(0, 0);
      toast(t("questions.answered", { n: answers.length }), newest.length ? { about: newest[0], undo: { text: t("undo"), run: undo } } : {});
    } catch (error) {
      toastError(error);
      if (error.kind === "conflict") await load();
    } finally {
      isAsking = false;
    }
    focusFirst();
  }

  /** Take back all that was answered together last, each a decision of its own; else the newest decision. */
  async function undo() {
    const made = newest;
    newest = null;
    if (made?.length) await edits.undoTogether(made, load);
    else await edits.undo(null, load);
    focusFirst();
  }

  setPageKeys([
    ...Object.entries(ANSWERS).map(([key, answer]) => ({ key, words: `questions.${answer}`, run: () => choose(answer) })),
    { key: "Tab", words: "key.next_question" },
    { key: "a", words: "key.answer_all", run: answerAll },
    { key: "s", words: "questions.alone", run: () => go("/questions") },
    { key: "u", words: "key.undo", run: undo },
  ]);
  await load();
  return { focus: focusFirst };
}

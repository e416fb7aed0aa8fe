// Threshold: from which similarity on a face gets a name, and what one's own people say about that.

import { api } from "../parts/api.js";
import { button, el } from "../parts/dom.js";
import * as jobs from "../parts/job.js";
import { setPageKeys } from "../parts/keys.js";
import { emptyState, pageHead } from "../parts/page.js";
import { curveChart, ratesChart } from "../parts/rate_chart.js";
import { toast, toastError } from "../parts/toast.js";
import { formatNumber, formatPercent, formatScore, t } from "../parts/words.js";

const SHARES = [10, 100, 1000]; // one in so many strangers
const STEP = 0.001;
const AROUND = 0.02;

export async function show(main, { reload }) {
  main.append(pageHead(t("threshold.title"), t("threshold.text")));
  let now;
  try {
    now = await api.get("/threshold");
  } catch (error) {
    if (error.kind !== "no_head") throw error;
    main.append(emptyState(t("people.none"), t("error.no_head")));
    return {};
  }
  if (now.needs_job) return measure(main, reload);
  return showChoice(main, now, reload);
}

/** Let the server measure, and show the page anew once it has. */
async function measure(main, reload) {
  const bar = jobs.progressBar();
  main.append(el("section", { class: "working" }, bar.element));
  const job = await jobs.begin("measure");
  bar.update(job);
  const stop = jobs.watch(job, (seen) => {
    bar.update(seen);
    if (seen.state === "done") reload();
    else if (jobs.isOver(seen)) main.append(el("p", { class: "problem", role: "alert" }, t(`job.${seen.state}`, { message: seen.message })));
  });
  return { stop };
}

function showChoice(main, now, reload) {
  const { rates, curve, preset } = now;
  const [from, to] = shownRange(now);
  const inRange = (value) => Math.min(Math.max(value, from), to);
  let value = inRange(now.threshold);
  const state = () => ({ threshold: value, preset, n: now.n_photos });
  const chart = rates.fpir || rates.tpir ? ratesChart({ rates, from, to, state }) : curve ? curveChart({ curve, state }) : null;
  const line = el("p", { class: "threshold-line", role: "status" });
  const slider = el("input", { type: "range", min: from, max: to, step: STEP, value, class: "slider", "aria-label": t("threshold.slider"), oninput: () => choose(Number(slider.value)) });
  const save = button(t("threshold.save"), { kind: "is-main", key: "s", run: () => put(value) });
  const back = button(preset === null ? t("threshold.reset_plain") : t("threshold.reset", { threshold: formatScore(preset) }), { key: "p", run: () => put(null) });
  back.hidden = now.chosen === null;

  function choose(chosen) {
    value = chosen;
    slider.value = chosen;
    line.textContent = describe(now, value);
    slider.setAttribute("aria-valuetext", line.textContent);
    save.disabled = Math.abs(value - now.threshold) < STEP / 2;
    chart?.redraw();
  }

  async function put(threshold) {
    const before = now.chosen;
    try {
      now = await api.put("/threshold", { threshold, expected: before });
      choose(inRange(now.threshold));
      back.hidden = now.chosen === null;
      toast(t("threshold.saved", { threshold: formatScore(now.threshold) }), { undo: { text: t("undo"), run: () => put(before) } });
    } catch (error) {
      toastError(error);
      if (error.kind === "conflict") reload();
    }
  }

  const shares = rates.fpir ? SHARES.filter((n) => n <= rates.n_people).map((n) => button(t("threshold.share", { n }), { run: () => choose(inRange(lowestFor(rates, 1 / n))) })) : [];
  main.append(
    line,
    el("div", { class: "threshold-slider" }, el("span", { class: "quiet", "aria-hidden": "true" }, formatScore(from)), slider, el("span", { class: "quiet", "aria-hidden": "true" }, formatScore(to))),
    el("div", { class: "actions threshold-actions" }, ...shares, save, back),
    ...(chart ? [chart.element] : []),
    ...legend(now, chart),
    el("h2", {}, t("threshold.measured")),
    el("ul", { class: "measured" }, ...measuredLines(now).map((text) => el("li", {}, text))),
  );
  choose(value);
  setPageKeys([
    { keys: ["←", "→"], key: "", words: "key.threshold_slider" },
    { key: "s", words: "threshold.save", run: () => save.disabled || put(value) },
    { key: "p", words: "threshold.reset_plain", run: () => now.chosen === null || put(null) },
  ]);
  return { stop: () => chart?.stop(), focus: () => slider.focus() };
}

/** Return between which thresholds something happens. */
function shownRange({ rates, curve, threshold, preset }) {
  const ends = [threshold, ...(preset === null ? [] : [preset])];
  const { thresholds, fpir, tpir } = rates;
  if (fpir) ends.push(lowestFor(rates, 0.5), lowestFor(rates, 0));
  if (tpir) ends.push(thresholds[tpir.value.findIndex((one) => one < 0.98 * tpir.value[0])], thresholds[tpir.value.findLastIndex((one) => one > 0.05)]);
  if (!fpir && !tpir && curve) ends.push(...curve.thresholds, threshold - 0.15);
  const known = ends.filter((one) => one !== undefined);
  const rounded = (one) => Math.round(one * 1000) / 1000;
  return [rounded(Math.max(-1, Math.min(...known) - AROUND)), rounded(Math.min(1, Math.max(...known) + AROUND))];
}

function lowestFor({ thresholds, fpir }, share) {
  return thresholds[fpir.value.findIndex((one) => one <= share + 1e-9)];
}

/** Return what a threshold does, in one line. */
function describe(now, value) {
  const { thresholds, fpir, tpir } = now.rates;
  const found = thresholds.findIndex((one) => one >= value - 1e-9);
  const place = found < 0 ? thresholds.length - 1 : found;
  const part = (band) => ({ value: formatPercent(band.value[place]), low: formatPercent(band.low[place]), high: formatPercent(band.high[place]) });
  const strangers = fpir ? describeStrangers(fpir.value[place], part(fpir)) : now.curve && Math.abs(value - now.preset) < STEP / 2 ? t("threshold.by_preset") : t("threshold.strangers_unknown");
  return t("threshold.line", { strangers, threshold: formatScore(value), found: tpir ? t("threshold.finds", part(tpir)) : t("threshold.finds_unknown") });
}

function describeStrangers(share, shown) {
  if (share === 0) return t("threshold.no_stranger", shown);
  if (share > 0.3) return t("threshold.many_strangers", shown);
  return t("threshold.strangers", { ...shown, one_in: formatNumber(Math.round(1 / share)) });
}

function legend({ rates, preset }, chart) {
  if (chart === null) return [];
  const entry = (kind, text) => el("li", {}, el("span", { class: `swatch ${kind}`, "aria-hidden": "true" }), text);
  if (!rates.fpir && !rates.tpir) return [el("ul", { class: "legend" }, entry("is-here", t("threshold.legend_here", { photos: t("n_faces", { n: rates.n_photos }) })), entry("is-preset", t("threshold.legend_continued")))];
  return [el("ul", { class: "legend" }, entry("is-chosen", t("threshold.legend_chosen")), ...(preset === null ? [] : [entry("is-preset", t("threshold.legend_preset", { threshold: formatScore(preset) }))]), entry("is-band", t("threshold.legend_band")))];
}

/** Return what was measured on whom, and what was not. */
function measuredLines(now) {
  const { rates, curve } = now;
  const people = t("n_people", { n: rates.n_people });
  const photos = t("n_faces", { n: rates.n_photos });
  return [
    rates.fpir ? t("threshold.about_strangers", { people, photos }) : t("threshold.too_few_people", { people, least: now.least_people }),
    rates.tpir ? t("threshold.about_found", { probes: t("n_faces", { n: rates.n_probes }), people: t("n_people", { n: rates.n_probed_people }) }) : t("threshold.too_few_probed", { people: t("n_people", { n: rates.n_probed_people }), least: now.least_probed_people }),
    ...(rates.fpir ? [t("threshold.other_strangers")] : []),
    ...(curve ? [t("threshold.about_preset", { data: curve.measured_on, photos: t("n_faces", { n: now.n_photos }), threshold: formatScore(now.preset) })] : []),
    t("threshold.last_scan"),
  ];
}

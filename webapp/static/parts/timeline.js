// Timeline: how many photos were taken in each year, and in each month of the chosen one; a bar chooses its time.

import { el } from "./dom.js";
import { formatMonth, t } from "./words.js";

/**
 * Make the timeline of months, [{month, n_photos}]; `since` is what is chosen: "", a year or a month.
 *
 * `onChoose(time)` hears a year, a month or "" when what was chosen is pressed again.
 */
export function timeline({ months, n_undated: nUndated }, { since, onChoose }) {
  const years = new Map();
  for (const { month, n_photos: n } of months) years.set(month.slice(0, 4), (years.get(month.slice(0, 4)) ?? 0) + n);
  if (!years.size) return el("div", { class: "timeline", hidden: true });
  const year = since.slice(0, 4);
  const ofYear = months.filter(({ month }) => month.startsWith(year)).map(({ month, n_photos: n }) => [month, n]);
  return el(
    "section",
    { class: "timeline", "aria-label": t("timeline.title") },
    bars([...years], t("timeline.years"), { chosen: year, onChoose, nameOf: (time) => time }),
    year ? bars(ofYear, t("timeline.months", { year }), { chosen: since.slice(0, 7), onChoose: (time) => onChoose(time || year), nameOf: formatMonth }) : null,
    nUndated ? el("p", { class: "quiet" }, t("timeline.undated", { n: nUndated })) : null,
  );
}

function bars(entries, label, { chosen, onChoose, nameOf }) {
  const most = Math.max(...entries.map(([, n]) => n));
  return el("ol", { class: "bars", "aria-label": label }, ...entries.map(([time, n]) => {
    const bar = el("span", { class: "bar" });
    bar.style.height = `${Math.max(4, (100 * n) / most)}%`;
    const isChosen = time === chosen;
    return el("li", {}, el("button", { type: "button", "aria-pressed": String(isChosen), "aria-label": t("timeline.bar", { time: nameOf(time), photos: t("n_photos", { n }) }), title: t("n_photos", { n }), onclick: () => onChoose(isChosen ? "" : time) }, el("span", { class: "height" }, bar), el("span", { class: "time" }, nameOf(time))));
  }));
}

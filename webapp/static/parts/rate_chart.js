// Charts of rates over the threshold, and of the preset's curve; drawn anew for each width, so that text stays legible.

import { el, svg } from "./dom.js";
import { formatNumber, formatPercent, formatScore, t } from "./words.js";

const LEFT = 52;
const RIGHT = 14;
const PANEL = 132;
const TITLE = 26;
const AXIS = 26;
const LOWEST_RATE = 0.001; // the lowest on the logarithmic scale; what is less is drawn on its edge

const linear = (from, to, start, end) => (value) => start + ((value - from) / (to - from)) * (end - start);
const logarithmic = (from, to, start, end) => { const scale = linear(Math.log(from), Math.log(to), start, end); return (value) => scale(Math.log(Math.min(Math.max(value, from), to))); };

/** Choose a step of 1, 2 or 5 that gives few ticks. */
function ticksBetween(from, to, most) {
  const rough = (to - from) / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((one) => one * power).find((one) => one >= rough);
  const ticks = [];
  for (let n = Math.ceil(from / step); n * step <= to + 1e-9; n += 1) ticks.push(n * step);
  return ticks;
}

/** Make an element that holds a chart; `draw(width, height)` returns what is in it. `redraw` draws it again. */
function chart(height, draw) {
  const place = el("div", { class: "chart" });
  let width = 0;
  const redraw = () => { if (width > 0) place.replaceChildren(svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" }, ...draw(width))); };
  const observer = new ResizeObserver(([entry]) => { const now = Math.floor(entry.contentRect.width); if (now !== width) { width = now; redraw(); } });
  observer.observe(place);
  return { element: place, redraw, stop: () => observer.disconnect() };
}

function gridLines({ ticks, y, width, format }) {
  return ticks.flatMap((tick) => [
    svg("line", { class: "chart-grid", x1: LEFT, x2: width - RIGHT, y1: y(tick), y2: y(tick) }),
    svg("text", { class: "chart-tick", x: LEFT - 8, y: y(tick) + 4, "text-anchor": "end" }, format(tick)),
  ]);
}

function axis({ ticks, x, y, end, format }) {
  return ticks.map((tick) => svg("text", { class: "chart-tick", x: x(tick), y, "text-anchor": x(tick) > end - 20 ? "end" : "middle" }, format(tick)));
}

function bandAndLine({ thresholds, band, x, y, from, to, kind }) {
  const places = thresholds.map((_, place) => place).filter((place) => thresholds[place] >= from - 1e-9 && thresholds[place] <= to + 1e-9);
  const point = (values) => (place) => `${x(thresholds[place]).toFixed(1)},${y(values[place]).toFixed(1)}`;
  const edge = [...places.map(point(band.high)), ...places.map(point(band.low)).reverse()];
  return [svg("polygon", { class: `chart-band ${kind}`, points: edge.join(" ") }), svg("polyline", { class: `chart-line ${kind}`, points: places.map(point(band.value)).join(" ") })];
}

/** Make the chart of what was measured on one's own people; `state()` is {threshold, preset}. */
export function ratesChart({ rates, from, to, state }) {
  const panels = [
    ...(rates.tpir ? [{ band: rates.tpir, title: "threshold.chart_found", kind: "is-found", ticks: [0, 0.5, 1], scale: (start, end) => linear(0, 1, start, end) }] : []),
    ...(rates.fpir ? [{ band: rates.fpir, title: "threshold.chart_strangers", kind: "is-strangers", ticks: [0.001, 0.01, 0.1, 1], scale: (start, end) => logarithmic(LOWEST_RATE, 1, start, end) }] : []),
  ];
  const height = panels.length * (TITLE + PANEL + 8) + AXIS;
  return chart(height, (width) => {
    const x = linear(from, to, LEFT, width - RIGHT);
    const { threshold, preset } = state();
    const drawn = panels.flatMap(({ band, title, kind, ticks, scale }, n) => {
      const top = n * (TITLE + PANEL + 8) + TITLE;
      const y = scale(top + PANEL, top);
      return [
        svg("text", { class: "chart-title", x: LEFT, y: top - 9 }, t(title)),
        ...gridLines({ ticks, y, width, format: formatPercent }),
        ...bandAndLine({ thresholds: rates.thresholds, band, x, y, from, to, kind }),
        ...(preset === null ? [] : [svg("line", { class: "chart-preset", x1: x(preset), x2: x(preset), y1: top, y2: top + PANEL })]),
        svg("line", { class: "chart-chosen", x1: x(threshold), x2: x(threshold), y1: top, y2: top + PANEL }),
      ];
    });
    return [...drawn, ...axis({ ticks: ticksBetween(from, to, width / 90), x, y: height - 6, end: width - RIGHT, format: formatScore })];
  });
}

/** Make the chart of the preset's curve: thresholds by number of enrolled faces; `state()` is {threshold, preset, n}. */
export function curveChart({ curve, state }) {
  const height = TITLE + 1.5 * PANEL + AXIS;
  return chart(height, (width) => {
    const { threshold, preset, n } = state();
    const low = Math.min(...curve.thresholds, threshold) - 0.02;
    const high = Math.max(...curve.thresholds, threshold) + 0.02;
    const first = Math.max(1, Math.min(curve.n_photos[0], n));
    const x = logarithmic(first, Math.max(curve.n_photos.at(-1), n), LEFT, width - RIGHT);
    const y = linear(low, high, TITLE + 1.5 * PANEL, TITLE);
    const points = curve.n_photos.map((number, place) => `${x(number).toFixed(1)},${y(curve.thresholds[place]).toFixed(1)}`);
    return [
      svg("text", { class: "chart-title", x: 0, y: TITLE - 9 }, t("threshold.chart_curve")),
      ...gridLines({ ticks: ticksBetween(low, high, 5), y, width, format: formatScore }),
      svg("polyline", { class: "chart-line is-strangers", points: points.join(" ") }),
      ...(n < curve.n_photos[0] ? [svg("line", { class: "chart-preset", x1: x(Math.max(first, n)), y1: y(preset), x2: x(curve.n_photos[0]), y2: y(curve.thresholds[0]) })] : []),
      svg("circle", { class: "chart-here", cx: x(Math.max(first, n)), cy: y(threshold), r: 6 }),
      ...axis({ ticks: curve.n_photos.filter((_, place) => width > 480 || place % 2 === 0), x, y: height - 6, end: width - RIGHT, format: formatNumber }),
    ];
  });
}

// All words of the page, from words/LANGUAGE.json; none stand in the code.

import { settings } from "./settings.js";

export const LANGUAGES = ["en", "de"];

let words = {};
let plurals;
let numbers;
let shares;
let scores;
let percents;
let finePercents;
let moments;
let months;

/** Load the words of the language that was chosen, else of the browser's. */
export async function loadWords() {
  const wanted = [settings.language, ...navigator.languages.map((name) => name.slice(0, 2)), "en"];
  const language = wanted.find((name) => LANGUAGES.includes(name));
  words = await (await fetch(`/static/words/${language}.json`)).json();
  document.documentElement.lang = language;
  plurals = new Intl.PluralRules(language);
  numbers = new Intl.NumberFormat(language);
  shares = new Intl.NumberFormat(language, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  months = new Intl.DateTimeFormat(language, { month: "short", year: "numeric", timeZone: "UTC" });
  scores = new Intl.NumberFormat(language, { minimumFractionDigits: 1, maximumFractionDigits: 3 });
  percents = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 0 });
  finePercents = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 1 });
  moments = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
}

/** Return the words of a key with `{name}` filled in; a value `n` chooses singular or plural and is a number. */
export function t(key, values = {}) {
  let text = words[key];
  if (text === undefined) throw new Error(key);
  if (typeof text === "object") text = text[plurals.select(values.n)] ?? text.other;
  return text.replace(/\{(\w+)\}/g, (_, name) => (name === "n" ? numbers.format(values.n) : String(values[name])));
}

/** Return whether there are words for a key. */
export const hasWords = (key) => key in words;

/** Return a number as it is written here. */
export const formatNumber = (n) => numbers.format(n);

/** Return a similarity, -1 to 1, as it is written here. */
export const formatShare = (n) => shares.format(n);

/** Return a place in a video, in seconds, as minutes and seconds. */
export const formatSeconds = (s) => `${Math.floor(s / 60)}:${String(Math.floor(s % 60)).padStart(2, "0")}`;

/** Return a month, "2019-06", as it is written here. */
export const formatMonth = (text) => months.format(new Date(`${text}-01T00:00:00Z`));
/** Return a threshold, to the thousandth, as it is written here. */
export const formatScore = (n) => scores.format(n);

/** Return a fraction as a percentage; what is below a tenth with one more digit. */
export const formatPercent = (n) => (n < 0.0995 ? finePercents : percents).format(n);

/** Return a moment, ISO 8601, as it is written here. */
export const formatMoment = (text) => moments.format(new Date(text));

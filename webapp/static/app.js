// The frame around all pages: navigation, tools, and which page an address shows.

import { api, ApiError } from "./parts/api.js";
import { button, el, icon } from "./parts/dom.js";
import { addKeys, listenForKeys, setPageKeys, showKeys } from "./parts/keys.js";
import { emptyState, pageHead } from "./parts/page.js";
import { settings } from "./parts/settings.js";
import { explain, toastError } from "./parts/toast.js";
import { LANGUAGES, loadWords, t } from "./parts/words.js";

// Address, what shows it, and how it stands in the navigation. `webapp/server/app.py` lists the same addresses.
const PAGES = [
  { path: /^\/$/, module: "start", nav: { href: "/", words: "nav.start", icon: "start" } },
  { path: /^\/groups$/, module: "groups", nav: { href: "/groups", words: "nav.groups", icon: "groups" } },
  { path: /^\/questions$/, module: "questions", nav: { href: "/questions", words: "nav.questions", icon: "question" } },
  { path: /^\/questions\/together$/, module: "questions_together", within: "/questions" },
  { path: /^\/people$/, module: "people", nav: { href: "/people", words: "nav.people", icon: "people" } },
  { path: /^\/people\/(?<person>\d+)$/, module: "person", within: "/people" },
  { path: /^\/find$/, module: "find", nav: { href: "/find", words: "nav.find", icon: "search" } },
  { path: /^\/photos\/(?<photo>\d+)$/, module: "photo", within: "/find" },
  { path: /^\/enrol$/, module: "enrol", nav: { href: "/enrol", words: "nav.enrol", icon: "enrol" } },
  { path: /^\/try$/, module: "try", nav: { href: "/try", words: "nav.try", icon: "question" } },
  { path: /^\/forget$/, module: "forget", nav: { href: "/forget", words: "nav.forget", icon: "close" } },
  { path: /^\/threshold$/, module: "threshold", nav: { href: "/threshold", words: "nav.threshold", icon: "threshold" } },
  { path: /^\/live$/, module: "live", nav: { href: "/live", words: "nav.live", icon: "camera" } },
  { path: /^\/history$/, module: "history", nav: { href: "/history", words: "nav.history", icon: "history" } },
];

let main;
let sidebar;
let shown = {};
let turn = 0;

/** Show the page of an address; with `replace` going back leads to where one came from before. */
function go(address, { replace = false } = {}) {
  if (replace) history.replaceState({ from: history.state?.from }, "", address);
  else {
    const index = Number(document.activeElement?.closest("[data-index]")?.dataset.index ?? 0);
    history.replaceState({ ...history.state, place: { scroll: scrollY, index } }, "", location.href);
    history.pushState({ from: location.pathname + location.search }, "", address);
  }
  return showPage();
}

/** Go back to where one came from, to the same place of it; to `fallback` where that was no page of ours. */
function goBack(fallback) {
  if (history.state?.from) history.back();
  else go(fallback);
}

async function showPage({ focus = true, module: forced = null, place = null } = {}) {
  const page = PAGES.find(({ path }) => path.test(location.pathname));
  const ownTurn = (turn += 1);
  shown.stop?.();
  shown = {};
  setPageKeys([]);
  sidebar.classList.remove("is-open");
  const fresh = el("main", { id: "main", tabindex: "-1" });
  main.replaceWith(fresh);
  main = fresh;
  markCurrent(page);
  scrollTo(0, 0);
  try {
    if (!page && !forced) notFound(fresh);
    else {
      const { show } = await import(`./pages/${forced ?? page.module}.js`).catch(() => { throw new ApiError(0, "not_loaded", ""); });
      if (ownTurn !== turn) return;
      const made = (await show(fresh, { ...location.pathname.match(page?.path)?.groups, go, goBack, reload: () => showPage() })) ?? {};
      if (ownTurn !== turn) { made.stop?.(); return; } // another page was asked for meanwhile
      shown = made;
    }
    if (focus) (shown.focus ?? (() => fresh.focus({ preventScroll: true })))(place?.index);
    if (place) scrollTo(0, place.scroll);
  } catch (error) {
    if (ownTurn !== turn || error.kind === "signed_out") return;
    fresh.replaceChildren(emptyState(explain(error), null, button(t("again"), { run: () => (error.kind === "not_loaded" ? loadAnew() : showPage()) })));
  }
}

/** Load everything anew once the server answers: a browser does not ask twice for a module that it could not load. */
function loadAnew() {
  api.get("/workspace").then(() => location.reload(), toastError);
}

function notFound(place) {
  place.append(pageHead(t("not_found.title"), t("not_found.text")), el("a", { href: "/" }, t("not_found.link")));
}

function markCurrent(page) {
  const current = page?.within ?? page?.nav?.href;
  for (const link of sidebar.querySelectorAll(".nav a")) {
    if (link.getAttribute("href") === current) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

function makeFrame() {
  const links = PAGES.filter(({ nav }) => nav).map(({ nav }) => el("li", {}, el("a", { href: nav.href }, icon(nav.icon), t(nav.words))));
  const menu = button(t("menu"), { iconName: "menu", iconOnly: true, kind: "is-plain menu-button", "aria-expanded": "false", run: () => menu.setAttribute("aria-expanded", String(sidebar.classList.toggle("is-open"))) });
  const blur = button(t("tools.blur"), { iconName: "blur", iconOnly: true, kind: "is-plain", "aria-pressed": String(settings.blur), run: () => settings.toggleBlur() });
  document.addEventListener("blur-changed", () => blur.setAttribute("aria-pressed", String(settings.blur)));
  sidebar = el(
    "header",
    { class: "sidebar" },
    el("a", { class: "brand", href: "/" }, icon("people"), t("app")),
    menu,
    el("nav", { "aria-label": t("nav") }, el("ul", { class: "nav" }, ...links)),
    el(
      "div",
      { class: "tools" },
      blur,
      button(t("tools.theme"), { iconName: "theme", iconOnly: true, kind: "is-plain", run: () => settings.nextTheme() }),
      button(t("tools.keys"), { iconName: "keys", iconOnly: true, kind: "is-plain", run: showKeys }),
      button(t("tools.language"), { kind: "is-plain", run: changeLanguage }),
    ),
  );
  main = el("main", { id: "main", tabindex: "-1" });
  const skip = el("a", { class: "skip", href: "#main", onclick: (event) => { event.preventDefault(); main.focus(); } }, t("skip"));
  document.getElementById("frame").replaceChildren(skip, sidebar, main);
}

async function changeLanguage() {
  settings.setLanguage(LANGUAGES.find((name) => name !== document.documentElement.lang));
  await loadWords();
  makeFrame();
  await showPage();
}

/** Follow links within the page without loading it anew. */
function followLink(event) {
  const link = event.target.closest("a[href]");
  if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (link.origin !== location.origin || link.pathname.startsWith("/api/") || link.hash) return;
  event.preventDefault();
  go(link.pathname + link.search);
}

settings.apply();
await loadWords();
makeFrame();
addKeys([
  { key: "?", words: "key.help", run: showKeys },
  { key: "g s", words: "key.start", run: () => go("/") },
  { key: "g g", words: "key.groups", run: () => go("/groups") },
  { key: "g q", words: "key.questions", run: () => go("/questions") },
  { key: "g p", words: "key.people", run: () => go("/people") },
  { key: "g f", words: "key.find", run: () => go("/find") },
  { key: "g t", words: "key.try", run: () => go("/try") },
  { key: "g l", words: "key.live", run: () => go("/live") },
  { key: "g e", words: "key.enrol", run: () => go("/enrol") },
  { key: "g r", words: "key.threshold", run: () => go("/threshold") },
  { key: "g h", words: "key.history", run: () => go("/history") },
  { key: "z", words: "key.blur", run: () => settings.toggleBlur() },
]);
listenForKeys();
document.addEventListener("click", followLink);
document.addEventListener("decided", () => showPage());
document.addEventListener("signed-out", () => showPage({ module: "sign_in" }));
history.scrollRestoration = "manual"; // a page is as high as before only once its data has come
addEventListener("popstate", (event) => showPage({ place: event.state?.place }));
await showPage({ focus: false });

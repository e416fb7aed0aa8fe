// Start: what is here, what needs attention, looking for new photos, and what could not be read.

import { api } from "../parts/api.js";
import { button, el, icon } from "../parts/dom.js";
import { askFolder } from "../parts/folders.js";
import * as jobs from "../parts/job.js";
import { setPageKeys } from "../parts/keys.js";
import { pageHead } from "../parts/page.js";
import { toastError } from "../parts/toast.js";
import { formatMoment, formatNumber, t } from "../parts/words.js";

const MOST_FAILURES = 200;

export async function show(main, { reload }) {
  const [workspace, { jobs: newest }] = await Promise.all([api.get("/workspace"), api.get("/jobs")]);
  const { name, counts, needs, photo_folders: folders } = workspace;
  let stop = () => {};

  async function scan() {
    try {
      follow(await jobs.begin("scan"));
    } catch (error) {
      toastError(error);
    }
  }

  const bar = jobs.progressBar();
  const isFirst = needs.some(({ kind }) => kind === "scan");
  const scanButton = button(t(isFirst ? "start.scan_first" : "start.scan_now"), { kind: "is-main", key: "s", run: scan });
  const stopButton = button(t("start.stop"), { run: () => api.post(`/jobs/${stopButton.dataset.job}/cancel`, {}).catch(toastError) });
  const working = el("section", { class: "working", "aria-label": t("job.progress"), hidden: true }, bar.element, stopButton);

  function follow(job) {
    stop();
    working.hidden = false;
    scanButton.disabled = true;
    if (isFirst) firstScan.hidden = true; // it is being done
    stopButton.dataset.job = job.id;
    bar.update(job);
    stop = jobs.watch(job, (now) => {
      bar.update(now);
      if (jobs.isOver(now)) reload();
    });
  }

  async function setFolders(chosen) {
    try {
      await api.put("/workspace/folders", { photo_folders: chosen, expected: folders });
      reload();
    } catch (error) {
      toastError(error);
    }
  }

  async function addFolder() {
    const path = await askFolder();
    if (path !== null) await setFolders([...folders, path]);
  }

  const figure = (words, n, href) => el(href ? "a" : "div", { class: "figure", href }, el("strong", {}, formatNumber(n)), el("span", { class: "quiet" }, t(words, { n })));
  const firstScan = el("li", { class: "need" }, icon("attention"), el("span", {}, t("start.scan")), scanButton);
  const need = ({ kind, n }) => {
    const text = t(kind === "folders" ? "start.need_folders" : `start.${kind}`, { n });
    if (kind === "scan") return firstScan;
    return el("li", { class: "need" }, icon("attention"), kind === "groups" ? el("a", { href: "/groups" }, text) : el("span", {}, text));
  };
  const folderRow = (folder) =>
    el("li", { class: "folder" }, icon("folder"), el("span", { class: "path" }, folder), folders.length > 1 ? button(t("start.remove_folder"), { "aria-label": `${t("start.remove_folder")}: ${folder}`, run: () => setFolders(folders.filter((one) => one !== folder)) }) : null);

  main.append(
    pageHead(t("start.title", { name }), null, el("div", { class: "actions" }, folders.length && !isFirst ? scanButton : null)),
    working,
    el("div", { class: "figures" }, figure("start.photos", counts.photos), figure("start.faces", counts.faces), figure("start.people", counts.people, "/people"), figure("start.unnamed", counts.unnamed)),
    el("ul", { class: "needs" }, ...needs.map(need)),
    folders.length ? el("h2", {}, t("start.folders")) : "",
    el("ul", { class: "folders" }, ...folders.map(folderRow)),
    button(t("start.add_folder"), { key: "a", kind: folders.length ? "" : "is-main", run: addFolder }),
    ...lastScan(newest.find((job) => job.kind === "scan" && jobs.isOver(job))),
  );
  setPageKeys([
    ...(folders.length ? [{ key: "s", words: "key.scan", run: scan }] : []),
    { key: "a", words: "key.add_folder", run: addFolder },
  ]);
  const running = newest.find((job) => !jobs.isOver(job));
  if (running) follow(running);
  return { stop: () => stop() };
}

/** What came of the newest scan: what is new, or why it did not work, and which files could not be read. */
function lastScan(job) {
  if (!job) return [];
  const when = t("start.last", { when: formatMoment(job.ended || job.begun) });
  if (job.state !== "done") return [el("h2", {}, when), el("p", { class: "problem" }, t(`job.${job.state}`, { message: job.message }))];
  const { n_photos: photos, n_embedded: fresh, n_groups: groups, failures = [] } = job.result;
  return [
    el("h2", {}, when),
    el("p", {}, t("start.report", { photos: t("n_photos", { n: photos }), fresh: formatNumber(fresh), groups: t("start.n_groups", { n: groups }) })),
    ...(failures.length ? [failureList(job.id, failures)] : []),
  ];
}

function failureList(job, failures) {
  const row = ({ path, message }, place) => el("li", { class: "failure" }, pictureOf(job, place), el("span", { class: "path" }, path), el("span", { class: "quiet" }, message));
  return el(
    "details",
    { open: failures.length <= 5 },
    el("summary", {}, t("start.failures", { n: failures.length })),
    el("ul", { class: "failures" }, ...failures.slice(0, MOST_FAILURES).map(row)),
    failures.length > MOST_FAILURES ? el("p", { class: "quiet" }, t("start.more_failures", { n: failures.length - MOST_FAILURES })) : null,
  );
}

/** Make what can be seen of a file that could not be read, which may be nothing. */
function pictureOf(job, place) {
  const frame = el("div", { class: "thumb" });
  frame.append(el("img", { src: api.failurePicture(job, place), alt: "", loading: "lazy", decoding: "async", onerror: (event) => { event.target.remove(); frame.classList.add("is-missing"); } }));
  return frame;
}

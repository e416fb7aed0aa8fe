// Long work: begun here, done by the server's machine, watched as long as the page is open.

import { api } from "./api.js";
import { el } from "./dom.js";
import { toastError } from "./toast.js";
import { formatNumber, hasWords, t } from "./words.js";

const ENDED = ["done", "failed", "cancelled", "interrupted"];

export const isOver = (job) => ENDED.includes(job.state);

/** Watch a job; `tell(job)` hears each change. Return what ends the watching.
 *
 * A server that was started anew refuses the stream, and then the browser does not ask again: the job is asked for once
 * more, so that the page shows what became of it, or asks to sign in.
 */
export function watch(job, tell) {
  const source = new EventSource(`/api/v1/jobs/${job.id}/events`);
  source.onmessage = (event) => {
    const now = JSON.parse(event.data);
    if (isOver(now)) source.close(); // otherwise the browser would ask again
    tell(now);
  };
  source.onerror = () => {
    if (source.readyState === EventSource.CLOSED) api.get(`/jobs/${job.id}`).then(tell).catch(toastError);
  };
  return () => source.close();
}

/** Begin work and return its job; of another job that is being done, that one, with `isOther`. */
export async function begin(kind) {
  try {
    return await api.post("/jobs", { kind });
  } catch (error) {
    if (error.kind !== "job_running") throw error;
    const other = (await api.get("/jobs")).jobs.find((job) => !isOver(job));
    if (!other) throw error;
    return { ...other, isOther: true };
  }
}

/** Make what shows how far a job is; `update(job)` renews it. */
export function progressBar() {
  const text = el("p", { role: "status", class: "stage" });
  const bar = el("progress", { "aria-label": t("job.progress") });
  const update = (job) => {
    const known = job.n_total > 0;
    if (known) Object.assign(bar, { max: job.n_total, value: job.n_done });
    else bar.removeAttribute("value");
    const stage = hasWords(`job.stage.${job.stage}`) ? t(`job.stage.${job.stage}`) : t("job.stage.begun");
    text.textContent = known ? t("job.of", { stage, done: formatNumber(job.n_done), total: formatNumber(job.n_total) }) : stage;
  };
  return { element: el("div", { class: "progress" }, bar, text), update };
}

// A place for pictures: dropped, chosen, pasted, or taken with the webcam; what becomes of them is the page's affair.

import { button, el } from "./dom.js";
import { toast, toastError } from "./toast.js";
import { t } from "./words.js";

const MS_BETWEEN_LOOKS = 300;
const QUALITY = 0.92;

/**
 * Make the place; `onPicture(blob)` hears each picture, `several` takes more than one at a time. While the webcam is on,
 * `onLive(blob)` is promised to be awaited with frame after frame. `stop` ends the webcam.
 */
export function pictureDrop({ label, onPicture, several = false, onLive = null, beside = [] }) {
  const take = (files) => [...files].slice(0, several ? files.length : 1).forEach((file) => onPicture(file));
  const input = el("input", { type: "file", accept: "image/*", multiple: several, class: "visually-hidden", "aria-label": label, onchange: () => { take(input.files); input.value = ""; } });
  const video = el("video", { muted: true, playsinline: true, hidden: true });
  const shot = button(t("try.shoot"), { kind: "is-main", run: () => shoot() });
  shot.hidden = true;
  let stream = null;

  async function openCamera() {
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { width: 1280 } });
    } catch {
      toast(t("try.no_camera"));
      return;
    }
    video.srcObject = stream;
    video.hidden = shot.hidden = false;
    await video.play();
    shot.focus();
    if (onLive) await look(stream);
  }

  /** Show frame after frame to whoever gives hints, as long as this stream is on. */
  async function look(own) {
    while (stream === own && video.isConnected) {
      const blob = await frame();
      if (blob) await onLive(blob);
      await new Promise((done) => { setTimeout(done, MS_BETWEEN_LOOKS); });
    }
  }

  function frame() {
    const canvas = el("canvas", { width: video.videoWidth, height: video.videoHeight });
    canvas.getContext("2d").drawImage(video, 0, 0);
    return new Promise((done) => { canvas.toBlob(done, "image/jpeg", QUALITY); });
  }

  async function shoot() {
    const blob = await frame();
    if (blob) onPicture(blob);
  }

  function stop() {
    stream?.getTracks().forEach((track) => track.stop());
    stream = null;
    video.hidden = shot.hidden = true;
  }

  const element = el(
    "div",
    {
      class: "drop",
      ondragover: (event) => { event.preventDefault(); element.classList.add("is-target"); },
      ondragleave: () => element.classList.remove("is-target"),
      ondrop: (event) => { event.preventDefault(); element.classList.remove("is-target"); take(event.dataTransfer.files); },
    },
    el("p", {}, label),
    el("div", { class: "actions" }, input, button(t("try.choose"), { iconName: "folder", run: () => input.click() }), button(t("try.camera"), { run: () => openCamera().catch(toastError) }), shot),
    video,
    ...beside,
  );
  return { element, input, stop, shoot };
}

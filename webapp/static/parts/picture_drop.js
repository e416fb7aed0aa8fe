// A place for a picture: dropped, chosen, pasted, or taken with the webcam; it is looked at and not kept.

import { button, el } from "./dom.js";
import { toast, toastError } from "./toast.js";
import { t } from "./words.js";

/** Make the place; `onPicture(blob)` hears each picture. `stop` ends the webcam. */
export function pictureDrop({ label, onPicture }) {
  const input = el("input", { type: "file", accept: "image/*", class: "visually-hidden", "aria-label": label, onchange: () => { if (input.files[0]) onPicture(input.files[0]); input.value = ""; } });
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
  }

  function shoot() {
    const canvas = el("canvas", { width: video.videoWidth, height: video.videoHeight });
    canvas.getContext("2d").drawImage(video, 0, 0);
    canvas.toBlob((blob) => { if (blob) onPicture(blob); }, "image/jpeg", 0.92);
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
      ondrop: (event) => { event.preventDefault(); element.classList.remove("is-target"); const [file] = event.dataTransfer.files; if (file) onPicture(file); },
    },
    el("p", {}, label),
    el("div", { class: "actions" }, input, button(t("try.choose"), { iconName: "folder", run: () => input.click() }), button(t("try.camera"), { run: () => openCamera().catch(toastError) }), shot),
    video,
  );
  return { element, input, stop };
}

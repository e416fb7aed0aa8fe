// A picture with boxes around its faces, each with a text.

import { el } from "./dom.js";

/** Make the picture of a blob; `faces` are {box, text, isKnown} in pixels of the upright picture. */
export function pictureWithBoxes(blob, { width, height, faces }) {
  const address = URL.createObjectURL(blob);
  const image = el("img", { src: address, alt: "", onload: () => URL.revokeObjectURL(address), onerror: () => { URL.revokeObjectURL(address); image.remove(); } });
  const frame = el("div", { class: "boxed" }, image);
  frame.style.aspectRatio = `${width} / ${height}`;
  faces.forEach(({ box: [left, top, right, bottom], text, isKnown }) => {
    const place = el("div", { class: `face-box ${isKnown ? "is-known" : ""}` }, el("span", {}, text));
    Object.assign(place.style, { left: `${(100 * left) / width}%`, top: `${(100 * top) / height}%`, width: `${(100 * (right - left)) / width}%`, height: `${(100 * (bottom - top)) / height}%` });
    frame.append(place);
  });
  return frame;
}

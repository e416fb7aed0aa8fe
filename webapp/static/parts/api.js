// The HTTP interface, as the page uses it.

const ROOT = "/api/v1";

/** What the server refused: `kind` is a word for programs, `status` is HTTP's, 0 where nothing answered. */
export class ApiError extends Error {
  constructor(status, kind, message) {
    super(message);
    this.status = status;
    this.kind = kind;
  }
}

async function request(method, path, body, signal) {
  const isJson = body !== undefined && !(body instanceof Blob) && !(body instanceof FormData);
  let response;
  let answer;
  try {
    response = await fetch(ROOT + path, {
      method,
      signal,
      headers: isJson ? { "Content-Type": "application/json" } : body instanceof Blob ? { "Content-Type": "application/octet-stream" } : {},
      body: isJson ? JSON.stringify(body) : body,
    });
    answer = await response.text(); // may be cut off or called off, too
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, "offline", String(error));
  }
  answer = parsed(answer);
  if (response.ok) return answer;
  const { kind = "http", message = response.statusText } = answer.error ?? {};
  if (kind === "signed_out") document.dispatchEvent(new CustomEvent("signed-out"));
  throw new ApiError(response.status, kind, message);
}

/** Return what an answer says; one that is no JSON, as of a proxy between, says nothing. */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

function withQuery(path, query) {
  const chosen = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
  return chosen.length ? `${path}?${new URLSearchParams(chosen)}` : path;
}

export const api = {
  get: (path, query = {}, signal = undefined) => request("GET", withQuery(path, query), undefined, signal),
  post: (path, body) => request("POST", path, body),
  put: (path, body) => request("PUT", path, body),
  patch: (path, body) => request("PATCH", path, body),
  send: (path, picture) => request("POST", path, picture),
  sendForm: (path, pictures) => {
    const form = new FormData();
    for (const [name, picture] of Object.entries(pictures)) form.append(name, picture, name);
    return request("POST", path, form);
  },
  remove: (path) => request("DELETE", path),
  photoThumbnail: ({ photo, kind, time_s: second }) => `${ROOT}/photos/${photo}/thumbnail${kind === "video" ? `?at=${second}` : ""}`,
  thumbnail: (key) => `${ROOT}/faces/${encodeURIComponent(key)}/thumbnail`,
  failurePicture: (job, place) => `${ROOT}/jobs/${job}/failures/${place}/picture`,
  picture: (photo, max = 1600) => `${ROOT}/photos/${photo}/picture?max=${max}`,
};

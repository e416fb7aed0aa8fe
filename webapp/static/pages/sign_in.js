// Sign in: for who has opened the address without its token, or after the server was started again.

import { api } from "../parts/api.js";
import { el } from "../parts/dom.js";
import { setPageKeys } from "../parts/keys.js";
import { t } from "../parts/words.js";

export async function show(main, { reload }) {
  setPageKeys([]);
  document.title = `${t("sign_in.title")} · ${t("app")}`;
  const { has_password: hasPassword } = await api.get("/session");
  const secret = el("input", { class: "field", type: "password", "aria-label": t("sign_in.label"), placeholder: t("sign_in.label"), autocomplete: "current-password", required: true });
  const problem = el("p", { role: "alert" });
  const submit = async (event) => {
    event.preventDefault();
    try {
      await api.post("/session", { secret: secret.value });
      reload();
    } catch (error) {
      problem.textContent = t(error.kind === "too_many_tries" ? "sign_in.wait" : "sign_in.wrong");
      secret.select();
    }
  };
  main.append(
    el("form", { class: "sign-in", onsubmit: submit }, el("h1", {}, t("sign_in.title")), el("p", { class: "quiet" }, t(hasPassword ? "sign_in.password_text" : "sign_in.text")), secret, problem, el("button", { class: "button is-main", type: "submit" }, t("sign_in.do"))),
  );
  return { focus: () => secret.focus() };
}

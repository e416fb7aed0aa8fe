// What somebody has set for this browser: theme, language, blurred faces.

const THEMES = ["auto", "light", "dark"];

function read(name, fallback) {
  try {
    return localStorage.getItem(`facetable.${name}`) ?? fallback;
  } catch {
    return fallback; // a browser that keeps nothing
  }
}

function write(name, value) {
  try {
    localStorage.setItem(`facetable.${name}`, value);
  } catch {
    // it holds until the page is closed
  }
}

export const settings = {
  theme: read("theme", "auto"),
  language: read("language", ""),
  blur: read("blur", "") === "yes",

  /** Show what is set. */
  apply() {
    document.documentElement.dataset.theme = this.theme;
    document.documentElement.toggleAttribute("data-blur", this.blur);
  },

  nextTheme() {
    this.theme = THEMES[(THEMES.indexOf(this.theme) + 1) % THEMES.length];
    write("theme", this.theme);
    this.apply();
  },

  toggleBlur() {
    this.blur = !this.blur;
    write("blur", this.blur ? "yes" : "no");
    this.apply();
    document.dispatchEvent(new CustomEvent("blur-changed"));
  },

  setLanguage(language) {
    this.language = language;
    write("language", language);
  },
};

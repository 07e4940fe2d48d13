// Switches between light and dark, and remembers the choice in a cookie, which the server reads: the
// page then has its colours from the first moment.

const YEAR = 365 * 24 * 3600;

export function listenForTheme() {
  document.querySelector("[data-theme-switch]")?.addEventListener("click", () => {
    const root = document.documentElement;
    const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    const shown = root.dataset.theme === "system" ? system : root.dataset.theme;
    const wanted = shown === "dark" ? "light" : "dark";
    root.dataset.theme = wanted;
    document.cookie = `ragtrace_theme=${wanted}; Path=/; Max-Age=${YEAR}; SameSite=Strict`;
  });
}

// The keys of every page. A page adds its own by listening itself; `isTyping` says when not to.

/** Returns true while a key belongs to a field, or to the browser. */
export function isTyping(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return true;
  return event.target instanceof Element && event.target.closest("input, textarea, select, [contenteditable]") !== null;
}

/** The time within which a second key follows `g`, in milliseconds. */
const SECOND = 1500;

export function listenForKeys() {
  const dialog = document.getElementById("keys");
  const toggle = () => (dialog?.open ? dialog.close() : dialog?.showModal());
  document.querySelector("[data-keys]")?.addEventListener("click", toggle);
  let went = -Infinity;

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && document.activeElement?.matches("input, textarea, select")) {
      document.activeElement.blur();
      return;
    }
    if (isTyping(event) || event.defaultPrevented) return;
    if (event.timeStamp - went < SECOND) {
      went = -Infinity;
      const tab = document.querySelector(`[data-go="${CSS.escape(event.key)}"]`);
      if (tab) {
        event.preventDefault();
        location.assign(tab.href);
      }
      return;
    }
    if (event.key === "g") went = event.timeStamp;
    if (event.key === "?") toggle();
    if (event.key === "/") {
      const field = document.querySelector("[data-first-field]") ?? document.querySelector(".find input");
      if (!field) return;
      event.preventDefault();
      field.focus();
      field.select?.();
    }
  });
}

// The token in the address. It is behind the `#`, which a browser never sends, and is removed from
// the address bar and the history as soon as the first module asks for it.

const fragment = new URLSearchParams(location.hash.slice(1));
const token = fragment.get("token");
if (token !== null) history.replaceState(null, "", location.pathname + location.search);

/** Returns the token that the address had, or null. */
export function givenToken() {
  return token;
}

/** The name under which the tab remembers that it has tried to open the page with its cookie. */
const RETRIED = "ragtrace-sign-in-retried";

/** Returns true once for each time that a page could be opened. */
export function mayRetry() {
  if (sessionStorage.getItem(RETRIED)) return false;
  sessionStorage.setItem(RETRIED, "yes");
  return true;
}

if (!document.getElementById("sign-in")) sessionStorage.removeItem(RETRIED);

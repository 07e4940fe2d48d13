// The token in the address. It is behind the `#`, which a browser never sends, and is removed from
// the address bar and the history as soon as the first module asks for it.

const fragment = new URLSearchParams(location.hash.slice(1));
const token = fragment.get("token");
if (token !== null) history.replaceState(null, "", location.pathname + location.search);

/** Returns the token that the address had, or null. */
export function givenToken() {
  return token;
}

// Signs in, with the token in the address or the one that is typed. The session is then in a cookie
// that scripts cannot read.

import { reason, send } from "./api.js";
import { givenToken, mayRetry } from "./token.js";

const form = document.getElementById("sign-in");
const message = document.getElementById("sign-in-message");

async function signIn(token) {
  const response = await send("POST", "/session", { token }).catch(() => null);
  if (response?.ok) return open();
  message.textContent = response ? await reason(response) : "The viewer does not answer.";
  form.token.select();
}

/**
 * Opens the page again, now with the cookie. A link from another site brings no `SameSite=Strict`
 * cookie, although there is a session; a navigation from here does.
 */
function open() {
  if (location.hash) location.reload();
  else location.replace(location.href);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  signIn(form.token.value.trim());
});

// An address with a token that is opened in this tab changes nothing but the part behind the `#`.
addEventListener("hashchange", () => location.reload());

const token = givenToken();
if (token) {
  signIn(token);
} else if (mayRetry()) {
  const response = await fetch("/session").catch(() => null);
  if (response?.ok) open();
}

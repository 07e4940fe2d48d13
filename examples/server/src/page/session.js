// Who this is. A service with tokens asks for one; it is kept in a cookie that no script can read.

import { getJson, onSignedOut, request } from "./api.js";
import { announce, bdi, element, find, problemCard } from "./dom.js";

/** Whose the page's content is: the last who was signed in. */
let last;

/** Reads who this is, and asks for a token where one is needed. `onSignedIn` hears when it was given. */
export async function startSession(onSignedIn) {
  const form = find("#sign-in-form");
  onSignedOut(() => showSignIn(true));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const token = find("#token");
    const problems = find("#sign-in-problem");
    if (token.value.trim() === "") return token.focus();
    try {
      await request("/api/session", { method: "POST", json: { token: token.value.trim() } });
      token.value = "";
      problems.replaceChildren();
      const session = await getJson("/api/session");
      // A person does not see the content of another.
      if (last && !isSame(last, session)) return location.reload();
      showSession(session);
      announce("Signed in.");
      onSignedIn();
    } catch (error) {
      problems.replaceChildren(problemCard(error));
      token.select();
      token.focus();
    }
  });
  try {
    showSession(await getJson("/api/session"));
  } catch (error) {
    find("#boot-problem").replaceChildren(problemCard(error));
  }
}

function isSame(one, other) {
  return one.user_id === other.user_id && one.tenant_id === other.tenant_id;
}

function showSession(session) {
  const { required, user_id: user, tenant_id: tenant } = session;
  if (user) last = session;
  showSignIn(required && !user);
  const place = find("#session");
  place.replaceChildren();
  if (!user) return;
  const out = element("button", { type: "button", class: "quiet small" }, "Sign out");
  out.addEventListener("click", async () => {
    await request("/api/session", { method: "DELETE" }).catch(() => {});
    location.reload();
  });
  place.append(
    element("span", { class: "who" }, bdi(user), tenant ? element("span", { class: "meta" }, " · ", bdi(tenant)) : ""),
    out,
  );
}

function showSignIn(shown) {
  const section = find("#sign-in");
  if (section.hidden === !shown) return;
  section.hidden = !shown;
  document.body.classList.toggle("signed-out", shown);
  if (shown) find("#token").focus();
}

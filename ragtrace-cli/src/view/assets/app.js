// What every page does: the keyboard, the colours, local times, parts that load later, signing out.

import { send } from "./api.js";
import { listenForKeys } from "./keys.js";
import { listenForRows } from "./rows.js";
import { loadParts } from "./parts.js";
import { listenForTheme } from "./theme.js";
import { nameLocalTimes } from "./times.js";
// It takes the token out of the address, also where the visitor has signed in already.
import "./token.js";

listenForKeys();
listenForRows();
listenForTheme();
nameLocalTimes(document);
loadParts(document);

document.querySelector("[data-sign-out]")?.addEventListener("click", async () => {
  await send("DELETE", "/session");
  location.assign("/");
});

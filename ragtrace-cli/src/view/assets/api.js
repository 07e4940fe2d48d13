// Requests to the viewer itself.

/** The token that a request which writes has to repeat; pages that may not write have none. */
const csrf = document.querySelector('meta[name="csrf"]')?.content;

/**
 * Sends a request, with a body as JSON if there is one. Resolves to the response, also where it
 * is a refusal, and rejects where there is no answer.
 */
export function send(method, url, body) {
  const headers = { accept: "application/json" };
  if (body !== undefined) headers["content-type"] = "application/json";
  if (csrf) headers["x-csrf-token"] = csrf;
  return fetch(url, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
}

/** Returns why a request was refused, as a sentence for people. */
export async function reason(response) {
  const problem = await response.json().catch(() => null);
  return [problem?.detail, problem?.advice].filter(Boolean).join(". ") || `The viewer answered with ${response.status}.`;
}

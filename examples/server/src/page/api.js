// Requests to the service. A request that fails throws a `Problem`, whatever it was that failed.

/** An error as RFC 9457 describes it, or what comes nearest to it. */
export class Problem extends Error {
  constructor(details) {
    super(details.title);
    Object.assign(this, details);
  }

  /** The problem in an answer: one that is no problem details, as a proxy gives it, has its status for a title. */
  static of(status, statusText, type, text, traceId) {
    let details = {};
    if (/^application\/(problem\+)?json\b/i.test(type ?? "")) {
      try {
        details = JSON.parse(text) ?? {};
      } catch {
        // Cut off: the status says what there is to say.
      }
    }
    const title = details.title || `${status} ${statusText}`.trim();
    return new Problem({ ...details, title, status: details.status ?? status, trace_id: details.trace_id ?? traceId });
  }

  static unreachable(traceId) {
    const detail = "The service did not answer. Is it still running? Nothing was lost here: try again.";
    return new Problem({ title: "No connection", detail, trace_id: traceId });
  }
}

/** How long a trace of this page's own may take to be found, in milliseconds, and how often it is looked for. */
const SOON = 10_000;
const AGAIN = 500;

/** The traces that this page made. */
const made = new Set();

/** The ids of a new trace, for its `traceparent` (W3C Trace Context). Elsewhere its id is written like a UUID. */
export function newTrace() {
  const trace = hex(16);
  const uuid = trace.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  made.add(uuid);
  return { id: uuid, traceparent: `00-${trace}-${hex(8)}-01` };
}

function hex(length) {
  const random = crypto.getRandomValues(new Uint8Array(length));
  // All zero is not an id.
  if (random.every((byte) => byte === 0)) return hex(length);
  return Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

let whenSignedOut = () => {};

/** Has `listener` hear when the service no longer knows who this is. */
export function onSignedOut(listener) {
  whenSignedOut = listener;
}

function failed(problem) {
  if (problem.status === 401) whenSignedOut();
  return problem;
}

/** Sends a request; returns a response with a 2xx status. */
export async function request(path, { method = "GET", json, traceparent, traceId, signal, accept } = {}) {
  const headers = { Accept: accept ?? "application/json" };
  if (json !== undefined) headers["Content-Type"] = "application/json";
  if (traceparent) headers.traceparent = traceparent;
  let response;
  try {
    response = await fetch(path, {
      method,
      headers,
      body: json === undefined ? undefined : JSON.stringify(json),
      signal,
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw Problem.unreachable(traceId);
  }
  if (response.ok) return response;
  const text = await response.text().catch(() => "");
  const id = response.headers.get("X-Trace-ID") ?? traceId;
  throw failed(Problem.of(response.status, response.statusText, response.headers.get("Content-Type"), text, id));
}

export async function getJson(path, options) {
  return (await request(path, options)).json();
}

/**
 * The stored trace. The telemetry is a moment behind what it tells of, so one of this page's own is waited for, as long
 * as `isWanted`.
 */
export async function readTrace(id, isWanted = () => true) {
  const until = performance.now() + SOON;
  for (;;) {
    try {
      return await getJson(`/api/traces/${encodeURIComponent(id)}`);
    } catch (error) {
      const mayCome = made.has(id.toLowerCase()) && error.status === 404 && performance.now() < until;
      if (!mayCome || !isWanted()) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, AGAIN));
  }
}

/**
 * Uploads files by `XMLHttpRequest`, since `fetch` does not say how far an upload is. The promise gives the service's
 * account of the files, also where none was stored (422).
 */
export function upload(files, trace, { onProgress, signal }) {
  const form = new FormData();
  for (const file of files) form.append("files", file, sentName(file.name));
  return new Promise((resolve, reject) => {
    const sending = new XMLHttpRequest();
    sending.open("POST", "/api/ingest");
    sending.setRequestHeader("Accept", "application/json");
    sending.setRequestHeader("traceparent", trace.traceparent);
    sending.upload.addEventListener("progress", (event) => onProgress(event.loaded, event.total));
    sending.upload.addEventListener("load", (event) => onProgress(event.total, event.total));
    sending.addEventListener("load", () => {
      const text = sending.responseText;
      const account = accountOf(sending.status, text);
      if (account) return resolve(account);
      const type = sending.getResponseHeader("Content-Type");
      const id = sending.getResponseHeader("X-Trace-ID") ?? trace.id;
      return reject(failed(Problem.of(sending.status, sending.statusText, type, text, id)));
    });
    sending.addEventListener("error", () => {
      // A service that refuses an upload before its end closes the connection, and the browser keeps the reason back.
      const detail =
        "The connection closed before the files had arrived. They may be too large, or one may have changed.";
      reject(new Problem({ title: "The upload broke off", detail, trace_id: trace.id }));
    });
    sending.addEventListener("abort", () => reject(new DOMException("the upload was cancelled", "AbortError")));
    signal.addEventListener("abort", () => sending.abort());
    sending.send(form);
  });
}

/** A name without control characters: the browser would send them as they are, which no header may have. */
function sentName(given) {
  return given.replace(/\p{Cc}/gu, "") || "file";
}

function accountOf(status, text) {
  if (status !== 200 && status !== 422) return undefined;
  try {
    const account = JSON.parse(text);
    return Array.isArray(account.files) ? account : undefined;
  } catch {
    return undefined;
  }
}

// The events of a running trace.

/** How long a request waits for its events to be listened to, in milliseconds; a late listener misses none. */
const OPENING = 1_500;

/** How long an answer that has come waits for the rest of its trace, in milliseconds. */
export const REST = 5_000;

/**
 * Listens to a trace until its end, which `onEnd` hears of, until the service has nothing to tell of it (`onProblem`),
 * or until `close`. A stream that breaks off goes on by itself from the last event that came, as `EventSource` does; one
 * that ended is closed, or the browser would ask for it for ever. `onGap` hears of events that the service had forgotten
 * before they could be sent.
 */
export class LiveTrace {
  #source;
  #opened;

  constructor(id, { onStage, onLog, onEnd, onProblem, onGap }) {
    const source = new EventSource(`/api/traces/${id}/events`);
    this.#source = source;
    this.#opened = new Promise((resolve) => {
      source.addEventListener("open", resolve, { once: true });
      source.addEventListener("error", resolve, { once: true });
      setTimeout(resolve, OPENING);
    });
    source.addEventListener("stage", (event) => read(event, onStage));
    source.addEventListener("log", (event) => read(event, onLog));
    source.addEventListener("gap", (event) => read(event, onGap));
    source.addEventListener("end", (event) => {
      this.close();
      read(event, onEnd);
    });
    source.addEventListener("problem", () => {
      this.close();
      onProblem();
    });
  }

  /** Resolves once the service listens, or does not seem to. */
  opened() {
    return this.#opened;
  }

  close() {
    this.#source.close();
  }
}

function read(event, listener) {
  let data;
  try {
    data = JSON.parse(event.data);
  } catch {
    // One event that cannot be read takes nothing from the others.
    return;
  }
  listener(data);
}

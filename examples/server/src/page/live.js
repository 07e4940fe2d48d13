// The events of a running trace.

/** How long a request waits for its events to be listened to, in milliseconds; a late listener misses none. */
const OPENING = 1_500;

/** How long a trace may be silent before its end is no longer waited for, in milliseconds. */
const SILENCE = 5_000;

/**
 * Listens to a trace until its end, until the service has nothing to tell of it, or until `close`. A stream that breaks
 * off goes on by itself from the last event that came, as `EventSource` does; one that ended is closed, or the browser
 * would ask for it for ever.
 */
export class LiveTrace {
  #source;
  #opened;
  #ended;
  #heard = 0;
  #isWhole = true;

  constructor(id, { onStage, onLog, onEnd }) {
    const source = new EventSource(`/api/traces/${id}/events`);
    this.#source = source;
    this.#opened = new Promise((resolve) => {
      source.addEventListener("open", resolve, { once: true });
      source.addEventListener("error", resolve, { once: true });
      setTimeout(resolve, OPENING);
    });
    this.#ended = new Promise((resolve) => {
      source.addEventListener("end", (event) => {
        this.close();
        this.#read(event, onEnd);
        resolve(this.#isWhole);
      });
      source.addEventListener("problem", () => {
        this.close();
        resolve(false);
      });
    });
    source.addEventListener("stage", (event) => this.#read(event, onStage));
    source.addEventListener("log", (event) => this.#read(event, onLog));
    // Events that the service had forgotten before they could be sent.
    source.addEventListener("gap", () => {
      this.#isWhole = false;
    });
  }

  /** Resolves once the service listens, or does not seem to. */
  opened() {
    return this.#opened;
  }

  /** Resolves once the trace has ended, or nothing is heard of it any more: to true if all of it has come. */
  async settled() {
    this.#heard = performance.now();
    for (;;) {
      const left = this.#heard + SILENCE - performance.now();
      if (left <= 0) return false;
      const ended = await Promise.race([this.#ended, new Promise((resolve) => setTimeout(resolve, left))]);
      if (ended !== undefined) return ended;
    }
  }

  close() {
    this.#source.close();
  }

  #read(event, listener) {
    this.#heard = performance.now();
    let data;
    try {
      data = JSON.parse(event.data);
    } catch {
      // One event that cannot be read takes nothing from the others.
      return;
    }
    listener(data);
  }
}

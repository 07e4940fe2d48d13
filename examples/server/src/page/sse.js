// Reads server-sent events out of a response to a POST, which `EventSource` cannot send (HTML, section 9.2.6).

/** Calls `onEvent(type, data)` for each event of a response's body until it ends. */
export async function readEvents(response, onEvent) {
  const parser = new EventParser(onEvent);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    parser.push(value);
  }
}

export class EventParser {
  #onEvent;
  #line = "";
  #afterReturn = false;
  #type = "";
  #data = [];

  constructor(onEvent) {
    this.#onEvent = onEvent;
  }

  /** Takes some text, wherever it is cut. */
  push(text) {
    // A line may end with CR, LF or both, and both may come in two pieces.
    if (this.#afterReturn && text.startsWith("\n")) text = text.slice(1);
    if (text === "") return;
    this.#afterReturn = text.endsWith("\r");
    const lines = text.split(/\r\n|\r|\n/);
    lines[0] = this.#line + lines[0];
    this.#line = lines.pop();
    for (const line of lines) this.#take(line);
  }

  #take(line) {
    if (line === "") {
      if (this.#data.length > 0) this.#onEvent(this.#type || "message", this.#data.join("\n"));
      this.#type = "";
      this.#data = [];
      return;
    }
    const colon = line.indexOf(":");
    if (colon === 0) return;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") this.#type = value;
    else if (field === "data") this.#data.push(value);
  }
}

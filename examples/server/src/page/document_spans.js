// Which document a span is of.

import { shownName } from "./document_row.js";

/**
 * Joins the spans of a trace to the files of its upload. The span of a document says the number of its file, or its
 * name; those below it are of the same document. A span may come before the one that says so.
 */
export class DocumentSpans {
  #trace;
  #labels;
  #places = new Map();
  #taken = new Set();
  /** Spans whose file is not known yet, by their parents. */
  #waiting = new Map();
  #seen = new Set();

  /** Takes the names of the files as the service shows them, in the order of the upload. */
  constructor(trace, labels) {
    this.#trace = trace;
    this.#labels = labels;
  }

  /** Calls `onSpan(place, span)` for a span whose file is known, and for those below that had been waiting for it. */
  add(span, onSpan) {
    const isNew = !this.#seen.has(span.id);
    this.#seen.add(span.id);
    const place = this.#placeOf(span);
    if (place === undefined) {
      const siblings = this.#waiting.get(span.parent) ?? new Set();
      this.#waiting.set(span.parent, siblings.add(span));
      // A name is believed once it is known what it is below.
      if (!isNew) return;
    } else {
      onSpan(place, span);
      this.#waiting.get(span.parent)?.delete(span);
    }
    const below = this.#waiting.get(span.id);
    this.#waiting.delete(span.id);
    for (const child of below ?? []) this.add(child, onSpan);
  }

  #placeOf(span) {
    const path = [];
    let named;
    for (const above of this.#trace.upwards(span)) {
      const known = this.#places.get(above.id);
      if (known !== undefined) return this.#keep(path, known);
      path.push(above);
      const { file, doc } = above.context;
      if (Number.isInteger(file) && file >= 0 && file < this.#labels.length) return this.#keep(path, file);
      if (typeof doc === "string") named = { doc, length: path.length, parent: above.parent };
    }
    // A step may come before its document, whose number says more than a name that other files have too.
    if (!named || (named.parent && !this.#trace.spans.has(named.parent))) return undefined;
    const label = shownName(named.doc);
    const place = this.#labels.findIndex((each, at) => each === label && !this.#taken.has(at));
    return place < 0 ? undefined : this.#keep(path.slice(0, named.length), place);
  }

  #keep(path, place) {
    for (const span of path) this.#places.set(span.id, place);
    this.#taken.add(place);
    return place;
  }
}

// Numbers, sizes, durations and texts, as the page shows them.

const NUMBER = new Intl.NumberFormat("en");
const MINUTE = 60_000;

export function number(value) {
  return NUMBER.format(value);
}

/** A count with its noun: `1 page`, `1,200 pages`. */
export function counted(value, noun, plural = `${noun}s`) {
  return `${number(value)} ${value === 1 ? noun : plural}`;
}

/** Milliseconds to three significant digits, in the unit that suits them; nothing for what is not known. */
export function duration(milliseconds) {
  if (!Number.isFinite(milliseconds) || milliseconds < 0) return "";
  if (milliseconds < 0.9995) return `${Math.round(milliseconds * 1000)} µs`;
  if (milliseconds < 999.5) return `${significant(milliseconds)} ms`;
  if (milliseconds < MINUTE) return `${significant(milliseconds / 1000)} s`;
  const seconds = Math.round(milliseconds / 1000);
  return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, "0")} s`;
}

/** Bytes in decimal units, as file managers count them. */
export function bytes(value) {
  if (!Number.isFinite(value)) return "";
  for (const [unit, size] of [
    ["GB", 1e9],
    ["MB", 1e6],
    ["KB", 1e3],
  ]) {
    if (value >= size) return `${significant(value / size)} ${unit}`;
  }
  return `${value} B`;
}

export function dollars(value) {
  if (!Number.isFinite(value) || value === 0) return "";
  return `$${value < 0.01 ? value.toPrecision(2) : value.toFixed(2)}`;
}

function significant(value) {
  return value.toFixed(value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2);
}

/** The milliseconds since 1970 of an RFC 3339 timestamp, with its microseconds, which `Date` would cut off. */
export function timeOf(timestamp) {
  const parts = /^(.*?)(\.\d+)?(Z|[+-]\d\d:\d\d)$/.exec(timestamp ?? "");
  if (!parts) return NaN;
  return Date.parse(parts[1] + parts[3]) + (parts[2] ? Number(parts[2]) * 1000 : 0);
}

/** The local date and time of milliseconds since 1970. */
export function dateOf(milliseconds) {
  if (!Number.isFinite(milliseconds)) return "";
  return new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" }).format(milliseconds);
}

// Unseen characters that change how others look: those of Unicode's Bidi_Control, which turn `fdp.exe` around.
const BIDI_CONTROLS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
// Tab, newline and carriage return are white space.
const CONTROLS = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/g;

/** A text whose control characters are seen: an escape as `␛`. */
export function visible(text) {
  return String(text).replace(CONTROLS, (sign) => {
    const code = sign.charCodeAt(0);
    return code < 0x20 ? String.fromCharCode(0x2400 + code) : code === 0x7f ? "␡" : "�";
  });
}

/** A name: on one line, with its direction controls spelled out, so that it cannot pass for another. */
export function name(text) {
  return visible(String(text).replace(/[\t\n\r]/g, "␤")).replace(
    BIDI_CONTROLS,
    (sign) => `[U+${sign.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}]`,
  );
}

/** `file_parsing` as `File parsing`; a route such as `POST /api/ask` stays. */
export function stageName(stage) {
  if (!/^[a-z][a-z0-9_]*$/.test(stage)) return name(stage);
  const words = stage.replaceAll("_", " ");
  return words[0].toUpperCase() + words.slice(1);
}

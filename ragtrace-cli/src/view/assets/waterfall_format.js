// Numbers, durations and costs, written as the server writes them (`show.rs`).

const NUMBER = new Intl.NumberFormat("en");

export function number(value) {
  return Number.isFinite(value) ? NUMBER.format(value) : "";
}

/** A count with its noun: `1 span`, `1,200 spans`. */
export function counted(value, noun, plural = `${noun}s`) {
  return `${number(value)} ${value === 1 ? noun : plural}`;
}

/** Microseconds as the server writes durations; nothing for what is not known. */
export function duration(micros) {
  if (!Number.isFinite(micros) || micros < 0) return "";
  if (micros < 999.5) return `${Math.round(micros)} µs`;
  if (micros < 999_500) return `${threeDigits(micros / 1e3)} ms`;
  if (micros < 59_950_000) return `${threeDigits(micros / 1e6)} s`;
  const seconds = Math.round(micros / 1e6);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  if (minutes < 1_440) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return `${number(Math.floor(minutes / 1_440))} d ${Math.floor(minutes / 60) % 24} h`;
}

/** US dollars: cents and more with two digits, less with those that count. */
export function cost(usd) {
  if (!Number.isFinite(usd)) return "";
  if (usd === 0) return "$0";
  const size = Math.abs(usd);
  if (size < 1e-6) return "< $0.000001";
  if (size < 0.01) return `$${usd.toFixed(6).replace(/0+$/, "")}`;
  return size < 100 ? `$${usd.toFixed(2)}` : `$${number(Math.round(usd))}`;
}

export function percent(part) {
  if (!Number.isFinite(part)) return "";
  return `${threeDigits(part * 100)}%`;
}

function threeDigits(value) {
  return value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0);
}

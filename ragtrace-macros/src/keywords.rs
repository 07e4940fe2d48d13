//! The words that the attribute accepts.

/// The names of arguments.
pub(crate) const ARGUMENTS: [&str; 15] = [
    "name",
    "kind",
    "level",
    "target",
    "fields",
    "ok",
    "err",
    "record",
    "used",
    "generated",
    "stream",
    "root",
    "renamed_from",
    "descriptor",
    "crate",
];
/// The values of `kind`.
pub(crate) const KINDS: [&str; 11] =
    ["pipeline", "parse", "chunk", "enrich", "embed", "store", "retrieve", "rerank", "generate", "tool", "task"];
/// The values of `level`.
pub(crate) const LEVELS: [&str; 5] = ["trace", "debug", "info", "warn", "error"];

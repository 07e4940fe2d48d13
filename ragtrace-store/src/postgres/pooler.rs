//! Errors of a pooler that stands before the server.
//!
//! PgBouncer gives most of its errors the code of a violated protocol (08P01), so they are told
//! apart by their text, which is in English always (PgBouncer 1.18 to 1.24, `src/client.c` and
//! `src/objects.c`). Where a text is new to us, it passes.

/// Parts of texts, and what to do where one of them comes.
const MENDED_BY_AN_OPERATOR: [(&str, &str); 11] = [
    (
        "startup parameter",
        "the pooler refuses a startup parameter: take it out of `options` in the URL or of PGOPTIONS, or have the pooler \
        pass over it (PgBouncer: `ignore_startup_parameters`)",
    ),
    (
        "statement pooling",
        "the pooler has no transactions: set its `pool_mode` to `transaction` or `session`, or name the server itself",
    ),
    ("no such database", "the pooler knows no such database: see to the URL, or to the pooler's `[databases]`"),
    ("does not exist", "the server behind the pooler has no such database or no such user: see to the URL"),
    ("no such user", NO_ENTRY),
    ("auth failed", NO_ENTRY),
    ("authentication failed", NO_ENTRY),
    ("login rejected", NO_ENTRY),
    ("login failed: db=", NO_ENTRY),
    ("TLS", TLS),
    ("SSL", TLS),
];

const NO_ENTRY: &str = "the pooler does not let the user in: see to the user and the password in the URL";
const TLS: &str = "the pooler wants TLS set up otherwise: see to `sslmode` in the URL";

/// Returns what an operator has to do about an error with the code 08P01, by its text, or `None` if
/// it passes.
pub(super) fn advice(message: &str) -> Option<&'static str> {
    MENDED_BY_AN_OPERATOR.iter().find(|(part, _)| message.contains(part)).map(|(_, advice)| *advice)
}

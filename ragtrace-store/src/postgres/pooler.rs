//! Errors of a pooler between the program and the server.
//!
//! `PgBouncer` reports most of its errors with the code of a protocol violation (08P01), so they
//! are told apart by their text, which is always English (`PgBouncer` 1.18 to 1.24, `src/client.c`
//! and `src/objects.c`). An error with an unknown text counts as temporary.

/// Parts of error texts that need an operator, each with the advice for it.
const MENDED_BY_AN_OPERATOR: [(&str, &str); 11] = [
    (
        "startup parameter",
        "the pooler refuses a startup parameter: remove it from `options` in the URL or from PGOPTIONS, or have the pooler \
        ignore it (PgBouncer: `ignore_startup_parameters`)",
    ),
    (
        "statement pooling",
        "the pooler has no transactions: set its `pool_mode` to `transaction` or `session`, or name the server itself",
    ),
    ("no such database", "the pooler knows no such database: check the URL, or the pooler's `[databases]`"),
    ("does not exist", "the server behind the pooler has no such database or no such user: check the URL"),
    ("no such user", NO_ENTRY),
    ("auth failed", NO_ENTRY),
    ("authentication failed", NO_ENTRY),
    ("login rejected", NO_ENTRY),
    ("login failed: db=", NO_ENTRY),
    ("TLS", TLS),
    ("SSL", TLS),
];

const NO_ENTRY: &str = "the pooler refuses the user: check the user and the password in the URL";
const TLS: &str = "the pooler requires other TLS settings: check `sslmode` in the URL";

/// Returns the advice for an error with the code 08P01 by its text, or `None` if the error is
/// temporary.
pub(super) fn advice(message: &str) -> Option<&'static str> {
    MENDED_BY_AN_OPERATOR.iter().find(|(part, _)| message.contains(part)).map(|(_, advice)| *advice)
}

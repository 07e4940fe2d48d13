//! Redaction: secrets are removed before records leave the process.
//!
//! The worker examines every text of a record before any sink, spool or console sees it, and before
//! it is cut at its limit. It looks at the names of fields, and at the form of texts: bearer
//! tokens, JSON Web Tokens, private keys, the keys of clouds and model providers, passwords in
//! URLs, and any value that follows the name of a secret, in any notation. A name is judged by how
//! its words end: `PGPASSWORD` and `auth.token` are secret, `input_tokens` and `token_count` are
//! not. Only texts and structured values are examined.
//!
//! Redaction finds what looks like a secret. A value that must never leave, whatever it looks like,
//! belongs in a [`Secret`](crate::Secret).
//!
//! `scan` finds the places where a secret may be, at the cost of a few instructions a byte;
//! `named_values`, `loose_names` and `command_line` find names, `secret_names` judges them, and
//! `value` reads the values that follow; `secret_shapes` and `user_info` recognize secrets without
//! a name. `structured` goes through JSON and gives its names and texts to the others.

mod command_line;
mod key_prefixes;
mod loose_names;
mod name_before;
mod name_words;
mod named_values;
mod redactor;
mod rules;
mod scan;
mod secret_names;
mod secret_shapes;
mod structured;
mod user_info;
mod value;

pub use redactor::Redactor;

//! Secrets do not leave the process.
//!
//! The worker looks at every text of a record before any sink, spool or console sees it, and before
//! it is cut to its bound. It goes by the name of a field, and by what a text looks like: bearer
//! tokens, JSON Web Tokens, private keys, the keys of clouds and model providers, passwords in
//! URLs, and whatever value stands behind a secret's name, in any notation. A name is compared by
//! how its words end: `PGPASSWORD` and `auth.token` are secret, `input_tokens` and `token_count`
//! are not. Only texts are looked at, and what is in structured values.
//!
//! This catches what looks like a secret. A value that must never leave, whatever it looks like,
//! belongs in a [`Secret`](crate::Secret).
//!
//! `scan` finds where a secret may be, a few instructions a byte; `named_values`, `loose_names` and
//! `command_line` find names, `secret_names` judges them, and `value` reads what stands behind
//! them; `secret_shapes` and `user_info` know secrets that need no name. `structured` goes through
//! JSON, whose names and texts it gives to these.

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

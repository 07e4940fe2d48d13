//! Secrets do not leave the process.
//!
//! The worker looks at every text of a record before any sink, spool or console sees it, and before
//! it is cut to its bound. It goes by the name of a field, and by what a text looks like: bearer
//! tokens, JSON Web Tokens, private keys, the keys of clouds and model providers, credentials in
//! URLs, `password=…` in the middle of a message. A field's name is compared by whole segments:
//! `token` and `auth.token` are secret, `input_tokens` is not. Only texts are looked at.
//!
//! This catches what looks like a secret. A value that must never leave, whatever it looks like,
//! belongs in a [`Secret`](crate::Secret).

mod key_prefixes;
mod named_values;
mod redactor;
mod rules;
mod scan;
mod secret_names;
mod secret_shapes;
mod user_info;
mod value;

pub use redactor::Redactor;

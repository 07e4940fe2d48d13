//! HTTP: a tower layer that makes each request a trace, and headers that carry a trace on.

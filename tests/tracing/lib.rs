//! Tests of the layer for `tracing`, each in a process of its own.

//! Tests of what the compiler says; nothing of it is for others.

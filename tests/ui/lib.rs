//! Tests of the compiler's diagnostics. This library is empty.

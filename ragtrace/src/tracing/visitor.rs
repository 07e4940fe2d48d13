//! Converts the values of `tracing` fields. The index of a field is that of its name in the
//! callsite's descriptor.

use std::error::Error;
use std::fmt::{self, Debug};

use ragtrace_core::value::FieldBuffer;
use tracing_core::Field;
use tracing_core::field::Visit;

use super::error_chain::ErrorChain;

/// Records values in a buffer.
pub(super) struct FieldRecorder<'a>(pub(super) &'a mut FieldBuffer);

/// Returns the index of a field in the descriptor. A field that does not fit into an entry gets an
/// index without a name.
fn index(field: &Field) -> u16 {
    // Higher indices are those of fields that records have members for.
    const NOTHING: u16 = u16::MAX / 2;
    u16::try_from(field.index()).map_or(NOTHING, |index| index.min(NOTHING))
}

impl Visit for FieldRecorder<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.0.set(index(field), &value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.set(index(field), &value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.set(index(field), &value);
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        match i64::try_from(value) {
            Ok(value) => self.0.set(index(field), &value),
            Err(_) => self.0.display(index(field), &value),
        }
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        match u64::try_from(value) {
            Ok(value) => self.0.set(index(field), &value),
            Err(_) => self.0.display(index(field), &value),
        }
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.set(index(field), &value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.set(index(field), value);
    }

    fn record_bytes(&mut self, field: &Field, value: &[u8]) {
        self.0.display(index(field), &Hex(value));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.0.display(index(field), &ErrorChain(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.debug(index(field), value);
    }
}

/// Displays bytes as pairs of hex digits.
struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

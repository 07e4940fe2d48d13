//! The ids of runs. They follow from the ids of trace and span alone, so a retry, a restart or a
//! score that comes days later finds the run again.
//!
//! An id has the layout of a UUID version 7 (RFC 9562, section 5.7), which LangSmith is going to
//! require. Its 48 bits of time are those of the trace id if that has version 7, else bits of a
//! hash, as for a trace that another tracer began. The remaining bits always come from that hash:
//! the UUID version 5 of [`NAMESPACE`] and the trace id's 16 and the span id's 8 bytes.

use ragtrace::uuid::Uuid;
use ragtrace::{SpanId, TraceId};

/// The namespace of the hash, a random UUID.
const NAMESPACE: Uuid = Uuid::from_u128(0xec54_3101_6f96_4008_8c3b_5e2b_91c0_5fa9);

/// The bits of a UUID version 7 that contain the milliseconds since 1970.
const TIME: u128 = ((1 << 48) - 1) << 80;
const VERSION: u128 = 0xf << 76;
const VERSION_7: u128 = 0x7 << 76;

/// Returns the run id of a span that is not the root of its trace.
pub(super) fn of_span(trace_id: TraceId, span_id: SpanId) -> Uuid {
    let mut name = [0; 24];
    name[..16].copy_from_slice(&trace_id.as_u128().to_be_bytes());
    name[16..].copy_from_slice(&span_id.as_u64().to_be_bytes());
    laid_out(trace_id, &name)
}

/// Returns the run id of a trace's root: the trace id if it has version 7, else one that follows
/// from it.
pub(super) fn of_root(trace_id: TraceId) -> Uuid {
    if is_version_7(trace_id) { trace_id.as_uuid() } else { laid_out(trace_id, &trace_id.as_u128().to_be_bytes()) }
}

fn laid_out(trace_id: TraceId, name: &[u8]) -> Uuid {
    let hash = Uuid::new_v5(&NAMESPACE, name).as_u128();
    let time = if is_version_7(trace_id) { trace_id.as_u128() } else { hash };
    Uuid::from_u128((time & TIME) | VERSION_7 | (hash & !TIME & !VERSION))
}

/// Returns `true` if an id has the version and variant of a UUID version 7.
fn is_version_7(trace_id: TraceId) -> bool {
    const VARIANT: u128 = 0b11 << 62;
    let bits = trace_id.as_u128();
    bits & VERSION == VERSION_7 && bits & VARIANT == 0b10 << 62
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn is_laid_out_as_version_7(id: Uuid) -> bool {
        id.get_version_num() == 7 && id.as_bytes()[8] >> 6 == 0b10
    }

    proptest! {
        #[test]
        fn ids_are_of_version_7_and_keep_the_time_of_a_trace_id_that_has_one(trace in 1_u128.., span in 1_u64..) {
            let bits = |version: u128, variant: u128| (trace & !VERSION & !(0b11 << 62_u32)) | version << 76 | variant << 62;
            let span_id = SpanId::from_u64(span).expect("not zero");
            let ours = TraceId::from_u128(bits(7, 0b10)).expect("not zero");
            prop_assert_eq!(of_root(ours), ours.as_uuid());
            prop_assert_eq!(of_span(ours, span_id).as_bytes()[..6].to_vec(), ours.as_uuid().as_bytes()[..6].to_vec());
            for foreign in [bits(4, 0b10), bits(7, 0b11), bits(0, 0)].into_iter().filter_map(TraceId::from_u128) {
                prop_assert!(is_laid_out_as_version_7(of_root(foreign)));
                prop_assert!(is_laid_out_as_version_7(of_span(foreign, span_id)));
                prop_assert_ne!(of_root(foreign), of_span(foreign, span_id));
            }
            prop_assert!(is_laid_out_as_version_7(of_span(ours, span_id)));
            prop_assert_ne!(of_span(ours, span_id), of_root(ours));
        }

        #[test]
        fn spans_and_traces_that_differ_have_runs_that_differ(trace in 1..u128::MAX, span in 1..u64::MAX) {
            let id = |trace, span| {
                of_span(TraceId::from_u128(trace).expect("not zero"), SpanId::from_u64(span).expect("not zero"))
            };
            prop_assert_ne!(id(trace, span), id(trace, span + 1));
            prop_assert_ne!(id(trace, span), id(trace + 1, span));
        }
    }

    #[test]
    fn ids_never_change_from_one_version_of_ours_to_the_next() {
        let (trace_id, span_id) = ("0199a5b2-6f1e-7c3a-8a4b-0123456789ab", "00000000000000a1");
        let id = of_span(trace_id.parse().expect("a trace id"), span_id.parse().expect("a span id"));
        assert_eq!(id.to_string(), "0199a5b2-6f1e-7e53-b773-56dbc4b617eb");
        let foreign = "4bf92f3577b34da6a3ce929d0e0e4736".parse().expect("a trace id");
        assert_eq!(of_root(foreign).to_string(), "5a682328-b36c-7917-ac7f-fdbff2d32738");
    }
}

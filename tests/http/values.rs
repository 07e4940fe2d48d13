//! Header values that any tracer might send, and others that look similar.

use proptest::prelude::*;

/// Returns values that are nearly valid: pieces of valid ones, joined and broken.
pub(crate) fn values() -> impl Strategy<Value = Vec<u8>> {
    let pieces: Vec<&[u8]> = [
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "0af7651916cd43dd8448eb211c80319c",
        "b7ad6b7169203331",
        "20261126T101500000000Z0199a5b2-6f1e-7c3a-8a4b-0123456789ab",
        "9532127138774266268",
        "langsmith-project=chat",
        "00-",
        "-01",
        "b3=",
        "0",
        "-",
        ",",
        "=",
        ";",
        " ",
        "%",
        "%ff",
        "_dd.p.tid=",
    ]
    .into_iter()
    .map(str::as_bytes)
    .chain([&b"\xff"[..], b"\t", b"\xc3\xa9"])
    .collect();
    let piece = prop_oneof![
        4 => proptest::sample::select(pieces).prop_map(<[u8]>::to_vec),
        1 => proptest::collection::vec(any::<u8>(), 0..40),
    ];
    proptest::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

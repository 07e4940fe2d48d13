//! Tests of bodies, with decoders from other libraries than the encoders'.

use std::io::Write;

use ragtrace_sinks_support::{Answer, Server};

use super::{builder, endpoint, send};
use crate::http::{Body, Compression, Request};

fn methods() -> Vec<Compression> {
    vec![
        Compression::none(),
        Compression::gzip(Compression::FAST),
        Compression::gzip(6),
        Compression::gzip(9),
        #[cfg(feature = "langsmith")]
        Compression::zstd(1),
        #[cfg(feature = "langsmith")]
        Compression::zstd(9),
    ]
}

/// Returns bytes of this length that can be compressed somewhat.
fn text(length: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let mut text = Vec::with_capacity(length + 64);
    while text.len() < length {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        write!(text, "{{\"id\":{},\"stage\":\"chunk\"}},", state >> 40).expect("a text");
    }
    text.truncate(length);
    text
}

/// Sends a body, and returns it as a server decompressed it.
fn sent(body: &Body) -> Vec<u8> {
    let server = Server::start(|_| Answer::status(202));
    let request = Request::post(&endpoint(&server.url())).body("application/json", body);
    send(&builder().build(), &request).expect("an answer");
    let received = server.take_requests().remove(0);
    assert_eq!(received.header("content-encoding"), body.encoding());
    assert_eq!(received.raw_body.len(), body.bytes().len());
    received.body
}

#[test]
fn what_is_written_is_what_a_server_reads_in_any_size() {
    for compression in methods() {
        for length in [0, 1, 1_000, 65_535, 65_536, 65_537, 300_000, 5_000_000] {
            let text = text(length);
            let mut writer = compression.begin();
            for piece in text.chunks(10_007) {
                writer.staged().extend_from_slice(piece);
                writer.settle();
            }
            assert_eq!(writer.uncompressed_len(), length);
            let body = writer.finish().expect("a body");
            assert_eq!(body.uncompressed_len(), length);
            assert!(sent(&body) == text, "{compression:?}, {length}");
            if body.encoding().is_some() && length > 100_000 {
                assert!(body.bytes().len() < length / 2, "{compression:?}: {} of {length}", body.bytes().len());
            }
        }
    }
}

#[test]
fn what_is_staged_can_be_taken_back() {
    for compression in methods() {
        let mut writer = compression.begin();
        writer.write_all(b"kept").expect("written");
        let kept = writer.staged().len();
        writer.staged().extend_from_slice(b", and not kept");
        writer.staged().truncate(kept);
        assert_eq!(writer.uncompressed_len(), 4);
        assert_eq!(sent(&writer.finish().expect("a body")), b"kept", "{compression:?}");
    }
}

#[test]
fn memory_is_used_again_and_a_body_that_is_under_way_keeps_its_own() {
    for compression in methods() {
        let text = text(200_000);
        let body = |seed: u8| {
            let mut writer = compression.begin();
            writer.write_all(&[seed; 100]).expect("written");
            writer.write_all(&text).expect("written");
            writer.finish().expect("a body")
        };
        let expected = |seed: u8| [&[seed; 100][..], &text].concat();
        let (first, second) = (body(1), body(2));
        let clone = first.clone();
        drop(first);
        let third = body(3);
        for (body, seed) in [(clone, 1), (second, 2), (third, 3)] {
            assert!(sent(&body) == expected(seed), "{compression:?}, {seed}");
        }
    }
}

#[test]
fn a_writer_that_is_given_up_harms_no_other() {
    for compression in methods() {
        let mut writer = compression.begin();
        writer.write_all(&text(200_000)).expect("written");
        drop(writer);
        let mut writer = compression.begin();
        writer.write_all(b"whole").expect("written");
        assert_eq!(sent(&writer.finish().expect("a body")), b"whole");
    }
}

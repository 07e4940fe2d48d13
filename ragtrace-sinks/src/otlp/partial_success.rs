//! Parses the answer to an export, which may refuse a part of it.

use serde::Deserialize;

use super::proto::{Field, Reader};

/// `ExportTraceServiceResponse.partial_success`, which has the same number for logs.
const PARTIAL_SUCCESS: u32 = 1;
/// `ExportTracePartialSuccess.rejected_spans` and `ExportLogsPartialSuccess.rejected_log_records`.
const REJECTED: u32 = 1;
const ERROR_MESSAGE: u32 = 2;
/// The largest number of a message's characters that are kept.
const LONGEST: usize = 500;

/// The answer of a backend that may have accepted only a part of a request ("OTLP Specification",
/// "Partial Success").
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PartialSuccess {
    /// The number of refused spans or log records. The protocol does not tell which ones.
    pub(crate) rejected: u64,
    /// The reason, or a warning if nothing was refused.
    pub(crate) message: String,
}

impl PartialSuccess {
    /// Parses an answer in protobuf or JSON. Any other answer means that everything was accepted,
    /// as its status said.
    pub(crate) fn of(answer: &[u8]) -> Self {
        let first = answer.iter().find(|byte| !byte.is_ascii_whitespace());
        let mut partial = match first {
            None => Self::default(),
            Some(b'{') => of_json(answer).unwrap_or_default(),
            Some(_) => of_protobuf(answer).unwrap_or_default(),
        };
        if let Some((end, _)) = partial.message.char_indices().nth(LONGEST) {
            partial.message.truncate(end);
            partial.message.push('…');
        }
        partial
    }
}

fn of_protobuf(answer: &[u8]) -> Option<PartialSuccess> {
    let mut partial = PartialSuccess::default();
    let mut fields = Reader::new(answer);
    for field in fields.by_ref() {
        let (PARTIAL_SUCCESS, Field::Bytes(message)) = field else { continue };
        let mut fields = Reader::new(message);
        for field in fields.by_ref() {
            match field {
                // A negative number cannot be a count of what was refused.
                (REJECTED, Field::Number(number)) => {
                    partial.rejected = u64::try_from(number.cast_signed()).unwrap_or(0);
                }
                (ERROR_MESSAGE, Field::Bytes(text)) => partial.message = String::from_utf8_lossy(text).into_owned(),
                _ => {}
            }
        }
        if fields.is_malformed() {
            return None;
        }
    }
    (!fields.is_malformed()).then_some(partial)
}

fn of_json(answer: &[u8]) -> Option<PartialSuccess> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Response {
        #[serde(default)]
        partial_success: Option<Partial>,
    }
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "camelCase", default)]
    struct Partial {
        rejected_spans: Option<Number>,
        rejected_log_records: Option<Number>,
        error_message: Option<String>,
    }
    /// A 64-bit number, which is a string in the JSON of Protocol Buffers, but may be a number.
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Number {
        Number(i64),
        Text(String),
    }
    let response: Response = serde_json::from_slice(answer).ok()?;
    let partial = response.partial_success.unwrap_or_default();
    let rejected = match partial.rejected_spans.or(partial.rejected_log_records) {
        Some(Number::Number(number)) => u64::try_from(number).unwrap_or(0),
        Some(Number::Text(text)) => text.parse().unwrap_or(0),
        None => 0,
    };
    Some(PartialSuccess { rejected, message: partial.error_message.unwrap_or_default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partial(rejected: u64, message: &str) -> PartialSuccess {
        PartialSuccess { rejected, message: message.to_owned() }
    }

    #[test]
    fn a_partial_success_is_read_in_protobuf_and_in_json() {
        assert_eq!(PartialSuccess::of(b"\x0a\x07\x08\x05\x12\x03old"), partial(5, "old"));
        let json = br#" {"partialSuccess":{"rejectedSpans":"5","errorMessage":"old"}}"#;
        assert_eq!(PartialSuccess::of(json), partial(5, "old"));
        let logs = br#"{"partialSuccess":{"rejectedLogRecords":2}}"#;
        assert_eq!(PartialSuccess::of(logs), partial(2, ""));
        assert_eq!(PartialSuccess::of(b"\x0a\x05\x12\x03odd"), partial(0, "odd"));
    }

    #[test]
    fn an_answer_that_is_none_says_that_all_arrived() {
        let huge = [b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01".as_slice(), &[0; 20]].concat();
        let answers: [&[u8]; 9] = [
            b"",
            b"{}",
            b"OK",
            b"<html>",
            b"{\"partialSuccess\":null}",
            b"{\"partialSuccess\":7",
            b"\x0a\x05\x08",
            b"\x0a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
            &huge,
        ];
        for answer in answers {
            assert_eq!(PartialSuccess::of(answer), partial(0, ""), "{}", answer.escape_ascii());
        }
    }

    #[test]
    fn a_long_message_is_cut_between_characters() {
        let json = format!(r#"{{"partialSuccess":{{"errorMessage":"{}"}}}}"#, "ü".repeat(9_000));
        assert_eq!(PartialSuccess::of(json.as_bytes()).message.chars().count(), LONGEST + 1);
    }
}

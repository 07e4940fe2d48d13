//! Tests that entries are decoded as they were encoded.

use super::*;
use crate::value::encoding::DecodedFields;

static STAGE: StageDescriptor = StageDescriptor::new("parse", "test");

fn run(parent: Option<SpanId>, local_root: bool) -> Run {
    Run { stage: &STAGE, span: SpanId::new(), parent, started: Ticks(5), local_root }
}

fn written(head: &[u64], fields: &FieldBuffer) -> Vec<u64> {
    let mut words = [head, &fields.to_encoded()].concat();
    words[0] = with_length(words[0], words.len());
    assert_eq!(length(words[0]), words.len());
    words
}

#[test]
fn a_start_is_read_as_it_was_written() {
    let mut fields = FieldBuffer::begin();
    fields.set(3, "a text of some length");
    for run in [run(None, true), run(Some(SpanId::new()), true), run(Some(SpanId::new()), false)] {
        let words = written(&start(&run), &fields);
        let (read, fields) = Entry::of(&words).start().expect("a start");
        assert_eq!(read, run);
        assert_eq!(DecodedFields(fields).next(), Some((3, Value::Text("a text of some length".into()))));
        assert!(
            Entry::of(&words).end().is_none() && Entry::of(&words).note().is_none() && decode_request(&words).is_none()
        );
    }
}

#[test]
fn an_end_is_read_as_it_was_written_with_its_start_or_without() {
    let mut fields = FieldBuffer::begin();
    fields.count(9);
    for (busy, outcome) in [(None, Outcome::Completed), (Some(3), Outcome::Failed), (Some(7), Outcome::Cancelled)] {
        let run = run(Some(SpanId::new()), false);
        let expected = RunEnd { at: Ticks(12), busy, outcome };
        let lean = written(&end(run.span, &expected), &fields);
        let whole = written(&end_with_start(&run, &expected), &fields);
        for (words, expected_run) in [(lean, None), (whole, Some(run))] {
            let (span, ended, read, fields) = Entry::of(&words).end().expect("an end");
            assert_eq!((span, ended, read), (run.span, expected, expected_run));
            assert_eq!(DecodedFields(fields).next(), Some((field_id::COUNT, Value::U64(9))));
            assert!(Entry::of(&words).start().is_none());
        }
    }
}

#[test]
fn a_log_line_is_read_as_it_was_written() {
    static LINE: LogDescriptor = LogDescriptor::new("ready", "test").with_level(crate::Level::Warn);
    for span in [None, Some(SpanId::new())] {
        let line = LogLine { descriptor: &LINE, span, at: Ticks(9) };
        let entry = OwnedEntry::log(&line, |fields| fields.set(0, "a text"));
        let (read, fields) = entry.as_entry().log().expect("a log line");
        assert!(std::ptr::eq(read.descriptor, &raw const LINE));
        assert_eq!((read.span, read.at), (span, Ticks(9)));
        assert_eq!(DecodedFields(fields.words).next(), Some((0, Value::Text("a text".into()))));
        assert!(entry.as_entry().start().is_none() && entry.as_entry().end().is_none());
    }
}

#[test]
fn fields_that_lack_the_address_of_their_descriptor_are_at_an_end() {
    static LINE: LogDescriptor = LogDescriptor::new("ready", "test");
    let mut fields = FieldBuffer::begin();
    fields.descriptor(0);
    let words = fields.to_encoded();
    for words in [&words[..], &words[..1]] {
        let fields = LogFieldWords { descriptor: &LINE, words };
        assert!(DecodedLogFields::new(fields).next().is_none());
    }
}

#[test]
fn a_score_is_read_as_it_was_written() {
    for span in [None, Some(SpanId::new())] {
        let expected = ScoreEntry { span, at: Ticks(7) };
        let mut fields = FieldBuffer::begin();
        fields.set(score_field::NAME, "faithfulness");
        fields.set(score_field::VALUE, &0.83);
        let words = written(&score(&expected), &fields);
        let (read, fields) = Entry::of(&words).score().expect("a score");
        assert_eq!(read, expected);
        let read: Vec<_> = DecodedFields(fields).collect();
        let name = Value::Text("faithfulness".into());
        assert_eq!(read, [(score_field::NAME, name), (score_field::VALUE, Value::F64(0.83))]);
        assert!(Entry::of(&words).start().is_none() && Entry::of(&words).log().is_none());
        assert!(Entry::of(&words).end().is_none() && Entry::of(&words).note().is_none());
    }
}

/// Encodes a request's identity, and decodes it again.
fn through_words(request: &Request) -> Request {
    let mut words = super::request(request).to_vec();
    encode_request_fields(request, &mut |word| words.push(word));
    words[0] = with_length(words[0], words.len());
    assert_eq!(request_version(&words), Some(request.version));
    decode_request(&words).expect("whole")
}

#[test]
fn a_request_is_read_as_it_was_written() {
    let mut request = Request::new(TraceId::new());
    let read = through_words(&request);
    assert!(read == request && read.request_id.is_none());
    request.user_id = Some("alice".into());
    request.tenant_id = Some("a tenant of a longer name".into());
    request.links = Box::new([SpanLink::new(TraceId::new(), SpanId::new())]);
    let read = through_words(&request);
    assert!(read == request);
    assert_eq!((read.version, read.anchor.wall), (request.version, request.anchor.wall));
}

#[test]
fn a_request_id_is_read_as_it_was_made_or_given() {
    let mut request = Request::new(TraceId::new());
    request.request_id = Some(RequestId::fresh());
    let read = through_words(&request);
    assert_eq!(read.request_id.as_deref(), request.request_id.as_deref());
    assert!(read.request_id.is_some_and(|id| id.bits().is_some()));
    for given in ["", "7", "req-0123456789abcdef0123456789abcdef"] {
        request.request_id = Some(RequestId::from(given.to_owned()));
        let read = through_words(&request).request_id.expect("as it was given");
        assert_eq!((&*read, read.bits()), (given, None));
    }
}

#[test]
fn texts_of_any_length_are_read_as_they_were_written() {
    let text = "0123456789 ünïcödé 日本語 🦀 and then some".to_owned();
    for length in (0..text.len()).filter(|length| text.is_char_boundary(*length)) {
        let mut request = Request::new(TraceId::new());
        request.user_id = Some(text[..length].into());
        request.session_id = Some(text[length..].into());
        assert!(through_words(&request) == request, "{length}");
    }
}

#[test]
fn what_is_no_entry_is_not_read() {
    for words in
        [&[][..], &[0], &[EntryKind::Start as u64], &[EntryKind::End as u64, 0, 0, 0], &[EntryKind::Note as u64, 0]]
    {
        assert!(Entry::of(words).start().is_none() && Entry::of(words).end().is_none());
        assert!(Entry::of(words).note().is_none() && decode_request(words).is_none());
    }
}

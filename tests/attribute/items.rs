//! Items that a stage used or generated, in its records.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use futures_util::future::FutureExt as _;
use futures_util::stream::{self, Stream, StreamExt as _};
use ragtrace::uuid::Uuid;
use ragtrace::{FieldSource, Item, Record, RecordItem, Value, stage, testing, traced_stage};
use ragtrace_tests::captured;

struct Document {
    id: Uuid,
    name: String,
}

#[derive(Clone)]
struct Hit {
    id: String,
    score: f32,
    text: String,
}

impl<'a> From<&'a Hit> for Item<'a> {
    fn from(hit: &'a Hit) -> Self {
        Item::new(&hit.id).score(hit.score.into()).content(&hit.text).source("a.pdf").derived_from(9_u8)
    }
}

fn hits(number: u32) -> Vec<Hit> {
    (0..number).map(|n| Hit { id: format!("c{n}"), score: 0.5, text: format!("text {n}") }).collect()
}

fn item(item_type: &'static str, id: impl Into<Box<str>>) -> RecordItem {
    RecordItem::new(item_type, id)
}

fn hit(n: u32) -> RecordItem {
    let hit = item("chunk", format!("c{n}")).with_score(0.5).with_content(format!("text {n}"));
    hit.with_source("a.pdf").with_derived_from("9")
}

/// Returns the record after it was written and read back.
fn read_back(record: &Record) -> Record {
    let read = Record::from_json(&record.to_json()).expect("canonical JSON");
    assert_eq!((read.used(), read.generated()), (record.used(), record.generated()));
    assert_eq!(read.to_json(), record.to_json());
    read
}

#[traced_stage(
    "items.chunking",
    kind = chunk,
    fields(name = document.name),
    used(document = [&document.id]),
    generated(|chunks| chunk = chunks.iter().map(|chunk| &chunk.id), page = 1..=pages),
    ok(|chunks| longest = chunks.iter().map(|chunk| chunk.text.len()).max()),
    descriptor = CHUNKING
)]
async fn chunking(document: &Document, pages: u32, number: u32) -> Result<Vec<Hit>, String> {
    tokio::task::yield_now().await;
    if number == 0 { Err("it is empty".to_owned()) } else { Ok(hits(number)) }
}

#[test]
fn a_start_says_what_is_used_and_an_end_that_and_what_was_generated() {
    let document = Document { id: Uuid::from_u128(7), name: "a.pdf".to_owned() };
    let (_, captured) = captured(chunking(&document, 2, 2));
    let used = [item("document", document.id.to_string())];
    let start = captured.stage("items.chunking").started().one();
    assert_eq!((start.used(), start.generated()), (&used[..], &[][..]));
    let end = captured.stage("items.chunking").completed().one();
    assert_eq!(end.used(), used);
    assert_eq!(end.generated(), [item("chunk", "c0"), item("chunk", "c1"), item("page", "1"), item("page", "2")]);
    assert_eq!((end.field("name"), end.metric("longest"), end.count()), (Some(&"a.pdf".into()), Some(6.0), Some(2)));
    assert_eq!(end.context().count(), 1, "items are no fields");
    read_back(start);
    read_back(end);
}

#[test]
fn a_failure_and_a_cancellation_say_what_was_used() {
    let document = Document { id: Uuid::from_u128(7), name: "a.pdf".to_owned() };
    let ((), captured) = captured(async {
        chunking(&document, 2, 0).await.map(drop).expect_err("it fails");
        assert!(chunking(&document, 2, 1).now_or_never().is_none(), "it is cancelled");
    });
    let stage = captured.stage("items.chunking");
    for end in [stage.failed().one(), stage.cancelled().one()] {
        assert_eq!((end.used(), end.generated()), (&[item("document", document.id.to_string())][..], &[][..]));
        read_back(end);
    }
    assert!(stage.failed().one().error().is_some());
}

#[test]
fn the_catalog_lists_types_of_items() {
    let declared: Vec<_> = CHUNKING.fields().iter().map(|field| (field.name(), field.source())).collect();
    let expected = [
        ("name", FieldSource::Start),
        ("longest", FieldSource::Ok),
        ("document", FieldSource::Used),
        ("chunk", FieldSource::Generated),
        ("page", FieldSource::Generated),
    ];
    assert_eq!(declared, expected);
}

#[traced_stage("items.reranking", kind = rerank, used(chunk = &hits), generated(|kept| chunk = kept.iter()))]
fn reranking(hits: Vec<Hit>, keep: usize) -> Box<[Hit]> {
    hits.into_iter().take(keep).collect()
}

#[traced_stage("items.answering", stream, used(chunk = passages), err(|e| error = e.len()))]
fn answering(passages: &[Hit]) -> impl Stream<Item = Result<String, String>> + use<> {
    stream::iter([Ok("a word".to_owned()), Err("no more".to_owned())])
}

trait Index {
    fn search(&self, query: &str) -> Vec<(u64, f32)>;
}

struct Flat;

impl Index for Flat {
    #[traced_stage("items.search", used(query = Some(query)), generated(|found| chunk = found))]
    fn search(&self, query: &str) -> Vec<(u64, f32)> {
        vec![(1, 0.5), (2, f32::NAN)]
    }
}

#[test]
fn any_shape_of_stage_has_items() {
    let ((), captured) = captured(async {
        let kept = reranking(hits(3), 1);
        assert_eq!(answering(&kept).count().await, 2);
        assert_eq!(Flat.search("what?").len(), 2);
        stage!("items.block", used(document = ["d"]), generated(|out| chunk = out), async { ["c"] }).await;
        stage!("items.sync_block", generated(|out| chunk = [*out]), { 5_u8 });
    });
    let end = captured.stage("items.reranking").completed().one();
    assert_eq!((end.used(), end.generated()), (&[hit(0), hit(1), hit(2)][..], &[hit(0)][..]));
    let failed = captured.stage("items.answering").failed().one();
    assert_eq!((failed.used(), failed.generated(), failed.metric("error")), (&[hit(0)][..], &[][..], Some(7.0)));
    let found = captured.stage("items.search").completed().one();
    assert_eq!(found.used(), [item("query", "what?")]);
    let scored = [item("chunk", "1").with_score(0.5), item("chunk", "2")];
    assert_eq!(found.generated(), scored, "what is not finite is no score");
    let block = captured.stage("items.block").completed().one();
    assert_eq!((block.used(), block.generated()), (&[item("document", "d")][..], &[item("chunk", "c")][..]));
    assert_eq!(captured.stage("items.sync_block").completed().one().generated(), [item("chunk", "5")]);
    captured.records().iter().for_each(|record| drop(read_back(record)));
}

#[traced_stage(
    "items.kinds",
    used(
        text = ["a"], texts = &["b"], owned = [String::from("c")], strings = &strings, borrowed = strings.iter(),
        cow = [Cow::Borrowed("f")], arc = &[Arc::<str>::from("g")], boxed = [Box::<str>::from("h")],
        id = [Uuid::nil()], ids = &[Uuid::nil()], number = [u8::MAX], numbers = &[i64::MIN], wide = [u128::MAX],
        pair = [("k", 0.5)], pairs = &[(String::from("l"), 1_u8)], item = [&Item::new("m")], option = None::<u8>,
        filtered = strings.iter().filter(|text| !text.is_empty()).collect::<Vec<_>>(), empty = [""],
    )
)]
fn kinds(strings: Vec<String>) {}

#[test]
fn texts_uuids_integers_and_pairs_with_a_score_are_items() {
    let ((), captured) = captured(async { kinds(vec!["d".to_owned()]) });
    let (nil, wide) = (Uuid::nil().to_string(), u128::MAX.to_string());
    let (least, most) = (i64::MIN.to_string(), u8::MAX.to_string());
    let expected = [
        ("text", "a"),
        ("texts", "b"),
        ("owned", "c"),
        ("strings", "d"),
        ("borrowed", "d"),
        ("cow", "f"),
        ("arc", "g"),
        ("boxed", "h"),
        ("id", &nil),
        ("ids", &nil),
        ("number", &most),
        ("numbers", &least),
        ("wide", &wide),
        ("pair", "k"),
        ("pairs", "l"),
        ("item", "m"),
        ("filtered", "d"),
        ("empty", ""),
    ];
    let end = captured.stage("items.kinds").completed().one();
    assert_eq!(end.used().iter().map(|item| (item.item_type(), item.id())).collect::<Vec<_>>(), expected);
    assert_eq!((end.used()[13].score(), end.used()[14].score()), (Some(0.5), Some(1.0)));
    read_back(end);
}

#[traced_stage("items.many", fields(n = 3), used(document = 0..used), generated(|ids| chunk = ids, more = ids), ok(|ids| ids = ids.len()))]
fn many(used: u32, ids: Vec<String>) -> Vec<String> {
    ids
}

#[test]
fn a_thousand_items_are_kept_and_the_rest_is_counted() {
    let ids: Vec<_> = (0..600).map(|n| format!("chunk {n}")).collect();
    let (_, captured) = testing::capture_sync(|| many(5_000, ids));
    let end = captured.stage("items.many").completed().one();
    assert_eq!((end.used().len(), end.generated().len()), (1_000, 1_000));
    assert_eq!(end.generated()[999], item("more", "chunk 399"));
    assert_eq!(end.field("ragtrace.used_dropped"), Some(&4_000_u64.into()));
    assert_eq!((end.metric("ragtrace.generated_dropped"), end.metric("ids")), (Some(200.0), Some(600.0)));
    let start = captured.stage("items.many").started().one();
    assert_eq!((start.used().len(), start.field("ragtrace.used_dropped")), (1_000, Some(&4_000_u64.into())));
    assert_eq!(read_back(end).metric("ragtrace.generated_dropped"), Some(200.0));
}

#[test]
fn an_id_that_is_too_long_is_counted_and_never_shortened() {
    let ids = ["x".repeat(256), "x".repeat(257), "é".repeat(128), "é".repeat(129), "🦀\"\\\n\0".to_owned()];
    let (_, captured) = testing::capture_sync(|| many(0, ids.to_vec()));
    let end = captured.stage("items.many").completed().one();
    let kept: Vec<_> = end.generated().iter().map(RecordItem::id).collect();
    assert_eq!(kept, [&ids[0], &ids[2], &ids[4], &ids[0], &ids[2], &ids[4]]);
    assert_eq!(end.metric("ragtrace.generated_dropped"), Some(4.0));
    read_back(end);
}

#[traced_stage("items.long", generated(|item| chunk = [item.clone()]))]
fn long<'a>(item: Item<'a>) -> Item<'a> {
    item
}

#[test]
fn long_texts_are_cut_between_characters_with_a_mark() {
    let (content, source, id) = ("é🦀a".repeat(1_000), "s".repeat(1_025), "d".repeat(257));
    let (_, captured) =
        testing::capture_sync(|| long(Item::new("c").content(&content).source(&source).derived_from(&id)));
    let end = captured.stage("items.long").completed().one();
    let [cut] = end.generated() else { panic!("one item") };
    for (cut, whole, most) in [(cut.content(), &content, 2_048), (cut.source(), &source, 1_024)] {
        let (kept, mark) = cut.expect("a text").split_once('…').expect("a mark");
        assert!(kept.len() <= most && kept.len() > most - 4 && whole.starts_with(kept));
        assert_eq!(mark, format!("[truncated {} bytes]", whole.len() - kept.len()));
    }
    assert_eq!((cut.derived_from(), end.metric("ragtrace.generated_dropped")), (None, Some(1.0)));
    let whole = "é".repeat(1_024);
    let (_, captured) = testing::capture_sync(|| long(Item::new("c").content(&whole)));
    assert_eq!(captured.stage("items.long").completed().one().generated()[0].content(), Some(&whole[..]));
}

struct Unreadable;

impl From<&Unreadable> for Item<'_> {
    fn from(_: &Unreadable) -> Self {
        panic!("no such item")
    }
}

#[traced_stage("items.unreadable", used(a = ["first"].into_iter().chain(std::iter::from_fn(|| panic!("no more"))), b = ["second"]), generated(|out| c = out))]
fn unreadable(number: usize) -> Vec<Unreadable> {
    std::iter::repeat_with(|| Unreadable).take(number).collect()
}

#[test]
fn what_panics_while_items_are_read_is_contained_and_marked() {
    let (made, captured) = testing::capture_sync(|| unreadable(2));
    assert_eq!(made.len(), 2);
    let end = captured.stage("items.unreadable").completed().one();
    assert_eq!((end.used(), end.generated()), (&[item("a", "first"), item("b", "second")][..], &[][..]));
    let mark = |why: &str| Value::from(format!("[could not be read: its `Iterator` panicked: {why}]"));
    assert_eq!(end.field("ragtrace.used_unreadable"), Some(&mark("no more")));
    assert_eq!(end.field("ragtrace.generated_unreadable"), Some(&mark("no such item")));
    assert_eq!(end.count(), Some(2));
}

#[traced_stage("items.nested", fields(n), generated(|ids| chunk = ids.iter().map(|id| inner(*id))))]
fn nested(n: u32) -> Vec<u32> {
    (0..n).collect()
}

#[traced_stage("items.inner", fields(text = "x".repeat(id as usize)), used(chunk = [id]), generated(|id| chunk = [id]))]
fn inner(id: u32) -> u32 {
    id + 100
}

#[test]
fn stages_may_run_while_items_are_read() {
    let (_, captured) = testing::capture_sync(|| nested(300));
    let end = captured.stage("items.nested").completed().one();
    let ids: Vec<_> = end.generated().iter().map(|item| item.id().to_owned()).collect();
    assert_eq!(ids, (100..400).map(|id| id.to_string()).collect::<Vec<_>>());
    assert_eq!(end.field("n"), Some(&300_u64.into()));
    for inner in captured.stage("items.inner").completed().iter() {
        let [used, generated] = [inner.used(), inner.generated()].map(|items| items[0].id().parse::<usize>().unwrap());
        assert_eq!((generated, inner.field("text").map(|text| text.to_string().len())), (used + 100, Some(used)));
    }
}

#[test]
fn nothing_is_read_where_nobody_listens() {
    let read = AssertUnwindSafe(|| drop(nested(2)));
    catch_unwind(read).expect("it does not panic");
}

mod laws {
    use proptest::prelude::*;

    use super::*;

    /// Id, score, content, source, and the number of the item that it derives from.
    type Parts = (String, Option<f64>, Option<String>, Option<String>, Option<u64>);

    fn items() -> impl Strategy<Value = Vec<Parts>> {
        let text = "[ -~é🦀\\n\\u{0}]{0,40}";
        let item = (
            text,
            prop::option::of(prop::num::f64::NORMAL | prop::num::f64::ZERO),
            prop::option::of("\\PC{0,60}"),
            prop::option::of(text),
            prop::option::of(any::<u64>()),
        );
        prop::collection::vec(item, 0..12)
    }

    #[traced_stage("items.any", fields(before = "a text", n = 1), used(thing = used.iter().cloned()), generated(|out| thing = out))]
    fn any_items<'a>(used: &[Item<'a>], out: Vec<Item<'a>>) -> Vec<Item<'a>> {
        out
    }

    proptest! {
        #[test]
        fn what_is_declared_is_what_is_read(used in items(), made in items()) {
            let item_of = |(id, score, content, source, from): &'static Parts| {
                let mut item = Item::new(id);
                if let Some(score) = *score { item = item.score(score) }
                if let Some(content) = content { item = item.content(content) }
                if let Some(source) = source { item = item.source(source) }
                if let Some(from) = *from { item = item.derived_from(from) }
                item
            };
            let expected = |items: &[Parts]| {
                items.iter().map(|(id, score, content, source, from)| {
                    let mut item = RecordItem::new("thing", id.as_str());
                    if let Some(score) = score { item = item.with_score(*score) }
                    if let Some(content) = content { item = item.with_content(content) }
                    if let Some(source) = source { item = item.with_source(source) }
                    if let Some(from) = from { item = item.with_derived_from(from.to_string()) }
                    item
                }).collect::<Vec<_>>()
            };
            let (used, made): (&'static [_], &'static [_]) = (used.leak(), made.leak());
            let of_used: Vec<_> = used.iter().map(item_of).collect();
            let (_, captured) = testing::capture_sync(|| any_items(&of_used, made.iter().map(item_of).collect()));
            let end = captured.stage("items.any").completed().one();
            prop_assert_eq!(end.used(), expected(used));
            prop_assert_eq!(end.generated(), expected(made));
            prop_assert_eq!(end.field("before"), Some(&"a text".into()));
            read_back(end);
        }
    }
}

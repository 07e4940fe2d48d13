//! Pages: every list, page by page, contains all of its rows, each once and in order, however many
//! of them tie.

use std::time::Duration;

use ragtrace::{Event, Level, Record, Sink, StageDescriptor, Timestamp};
use ragtrace_store::retention::Retention;
use ragtrace_store::{self as store, LogFilter, LogStore, Position, TraceFilter};
use uuid::Uuid;

use crate::support::{BEGIN, Make, batch};
use crate::test_store::TestStore;

over_both!(
    pages_of_every_list_are_all_of_its_rows_each_once_and_in_order,
    requests_of_one_trace_that_end_at_one_instant_are_all_paged_through,
    pages_hold_what_was_there_also_while_rows_are_added,
    a_page_is_full_while_there_is_more_also_where_rows_are_there_twice,
);

const DAY: Duration = Duration::from_hours(24);
const CHUNKING: StageDescriptor = StageDescriptor::new("chunking", "rag").with_renamed_from(&"chunk");

type Matches = Box<dyn Fn(&Record) -> bool>;

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }

    fn one_of<'a>(&mut self, these: &[&'a str]) -> &'a str {
        these[usize::try_from(self.below(these.len() as u64)).expect("small")]
    }

    fn limit(&mut self) -> usize {
        usize::try_from(1 + self.below(40)).expect("small")
    }
}

/// Returns records of few instants, traces, stages and users, so that nearly everything ties.
fn records(dice: &mut Dice, count: usize, days: &[u32]) -> Vec<Record> {
    let mut make = |_| {
        let day = days[usize::try_from(dice.below(days.len() as u64)).expect("small")];
        let at = BEGIN.plus(DAY * day + Duration::from_micros(dice.below(3)));
        let event = dice.one_of(&["log", "started", "completed", "completed", "failed"]);
        let mut make = Make::new(event, dice.one_of(&["chunking", "chunk", "retrieval"]), dice.below(1_000) + 1, 0)
            .with("timestamp", at.to_string())
            .with("user_id", dice.one_of(&["alice", "bob"]));
        if event == "log" {
            make = make.with("level", dice.one_of(&["ERROR", "WARN", "INFO"]));
        }
        let trace = dice.below(5);
        make = match trace {
            4 => make.with("trace_id", serde_json::Value::Null),
            _ => make.trace(&Uuid::from_u128(u128::from(trace) + 1).to_string()).with("local_root", event != "log"),
        };
        make.record()
    };
    (0..count).map(&mut make).collect()
}

/// Returns the ids of the rows that a filter finds, read in pages of any size.
async fn paged_logs(store: &LogStore, filter: &LogFilter, dice: &mut Dice) -> Vec<Uuid> {
    let mut ids = Vec::new();
    let mut filter = filter.clone();
    loop {
        let limit = dice.limit();
        let page = store.logs(filter.clone().limit(limit)).await.expect("reads");
        let Some(last) = page.last() else { return ids };
        filter = filter.after(last.position().to_string().parse().expect("a position reads back"));
        ids.extend(page.iter().map(|row| row.id()));
        if page.len() < limit {
            let rest = store.logs(filter.clone()).await.expect("reads");
            assert!(rest.is_empty(), "a page that is not full is the last");
            return ids;
        }
    }
}

async fn paged_traces(store: &LogStore, filter: &TraceFilter, dice: &mut Dice) -> Vec<Position> {
    let mut positions = Vec::new();
    let mut filter = filter.clone();
    loop {
        let page = store.traces(filter.clone().limit(dice.limit())).await.expect("reads");
        let Some(last) = page.last() else { return positions };
        filter = filter.after(last.position().to_string().parse().expect("a position reads back"));
        positions.extend(page.iter().map(store::TraceSummary::position));
    }
}

async fn pages_of_every_list_are_all_of_its_rows_each_once_and_in_order(place: TestStore) {
    let mut dice = Dice(0x5eed);
    let mut all = records(&mut dice, 600, &[0, 1, 5]);
    place.holding(all.clone()).await;
    // Rows of the first days are then in the archive, and later ones join them in the logs.
    let retention = Retention::new().days(7).sample(1.0).at(BEGIN.plus(DAY * 9));
    let archived = store::retain(&place.url, &retention, |_| {}).await.expect("decided").archived;
    assert!(archived > 0);
    let late = records(&mut dice, 300, &[0, 1, 5]);
    place.sink().deliver(&batch(late.clone())).await.expect("delivered");
    // A record without a trace is kept or removed by its level.
    all.retain(|record| record.trace_id().is_some() || record.level() == Level::Error || is_young(record));
    all.extend(late);
    all.sort_by_key(|record| std::cmp::Reverse((record.timestamp(), record.id())));
    let store = place.store().await;

    let trace = "00000000-0000-0000-0000-000000000001".parse().expect("an id");
    let first_day = BEGIN.plus(Duration::from_micros(2));
    let filters: [(LogFilter, Matches); 10] = [
        (LogFilter::new(), Box::new(|_| true)),
        (LogFilter::new().trace_id(trace), Box::new(move |record| record.trace_id() == Some(trace))),
        (LogFilter::new().user_id("bob"), Box::new(|record| record.user_id() == Some("bob"))),
        (LogFilter::new().stage("chunk"), Box::new(|record| record.stage() == Some("chunk"))),
        (LogFilter::new().of(&CHUNKING), Box::new(|record| record.stage() != Some("retrieval"))),
        (LogFilter::new().level(Level::Error), Box::new(|record| record.level() == Level::Error)),
        (LogFilter::new().level(Level::Warn), Box::new(|record| record.level() >= Level::Warn)),
        (
            LogFilter::new().level(Level::Error).user_id("bob"),
            Box::new(|record| record.level() == Level::Error && record.user_id() == Some("bob")),
        ),
        (LogFilter::new().since(first_day), Box::new(move |record| record.timestamp() >= first_day)),
        (LogFilter::new().until(first_day), Box::new(move |record| record.timestamp() < first_day)),
    ];
    for (filter, matches) in filters {
        let expected: Vec<Uuid> = all.iter().filter(|record| matches(record)).map(Record::id).collect();
        assert!(expected.len() > 50, "{filter:?} finds some");
        assert_eq!(paged_logs(&store, &filter, &mut dice).await, expected, "{filter:?}");
        let at_once = store.logs(filter.clone().limit(10_000)).await.expect("reads");
        assert_eq!(at_once.iter().map(|row| row.id()).collect::<Vec<_>>(), expected, "{filter:?}");
    }

    let requests = [
        TraceFilter::new(),
        TraceFilter::new().user_id("alice"),
        TraceFilter::new().of(&CHUNKING),
        TraceFilter::new().until(first_day),
    ];
    for filter in requests {
        let paged = paged_traces(&store, &filter, &mut dice).await;
        let at_once = store.traces(filter.clone().limit(10_000)).await.expect("reads");
        assert!(at_once.len() > 50, "{filter:?} finds some");
        assert_eq!(paged, at_once.iter().map(store::TraceSummary::position).collect::<Vec<_>>(), "{filter:?}");
        assert!(paged.windows(2).all(|pair| pair[0] > pair[1]), "{filter:?}: no two have one position");
    }
    let rows = place.number("SELECT count(*) FROM request_metrics").await;
    let ended = |record: &&Record| record.trace_id().is_some() && record.event().is_end();
    assert_eq!(
        usize::try_from(rows).expect("a count"),
        paged_traces(&store, &TraceFilter::new(), &mut dice).await.len()
    );
    assert_eq!(usize::try_from(rows).expect("a count"), all.iter().filter(ended).count());
}

fn is_young(record: &Record) -> bool {
    record.timestamp() >= BEGIN.plus(DAY * 3)
}

async fn requests_of_one_trace_that_end_at_one_instant_are_all_paged_through(place: TestStore) {
    let end = |span: u64| Make::new("completed", "ask", span, 0).with("local_root", true).record();
    let store = place.holding((1..=3_000).map(end)).await;
    let mut filter = TraceFilter::new().limit(100);
    let mut found = 0;
    loop {
        let page = store.traces(filter.clone()).await.expect("reads");
        found += page.len();
        let Some(last) = page.last() else { break };
        filter = filter.after(last.position());
    }
    assert_eq!(found, 3_000);
}

async fn pages_hold_what_was_there_also_while_rows_are_added(place: TestStore) {
    let mut dice = Dice(0xadd);
    let there = records(&mut dice, 300, &[0, 1]);
    let store = place.holding(there.clone()).await;
    let requests: Vec<Position> = store
        .traces(TraceFilter::new().limit(10_000))
        .await
        .expect("reads")
        .iter()
        .map(store::TraceSummary::position)
        .collect();
    let sink = place.sink();
    let (mut logs, mut traces) = (LogFilter::new().limit(23), TraceFilter::new().limit(17));
    let (mut rows, mut summaries) = (Vec::new(), Vec::new());
    loop {
        let page = store.logs(logs.clone()).await.expect("reads");
        let more = store.traces(traces.clone()).await.expect("reads");
        let Some(last) = page.last().map(store::LogRow::position) else { break };
        logs = logs.after(last);
        if let Some(last) = more.last() {
            traces = traces.after(last.position());
        }
        rows.extend(page.iter().map(|row| row.id()));
        summaries.extend(more.iter().map(store::TraceSummary::position));
        // Newer and older rows, and rows at the very instants of the pages; in the end no more.
        if rows.len() < 2_000 {
            let new = records(&mut dice, 10, &[0, 1, 2]);
            sink.deliver(&batch(new)).await.expect("delivered");
        }
    }
    loop {
        let more = store.traces(traces.clone()).await.expect("reads");
        let Some(last) = more.last() else { break };
        traces = traces.after(last.position());
        summaries.extend(more.iter().map(store::TraceSummary::position));
    }
    let mut expected: Vec<&Record> = there.iter().collect();
    expected.sort_by_key(|record| std::cmp::Reverse((record.timestamp(), record.id())));
    let of_these: Vec<Uuid> = rows.iter().copied().filter(|id| there.iter().any(|record| record.id() == *id)).collect();
    assert_eq!(of_these, expected.iter().map(|record| record.id()).collect::<Vec<_>>());
    let mut distinct = rows.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), rows.len(), "no row comes twice");
    let of_these: Vec<Position> = summaries.iter().copied().filter(|one| requests.contains(one)).collect();
    assert_eq!(of_these, requests);
    assert!(summaries.windows(2).all(|pair| pair[0] > pair[1]));
}

async fn a_page_is_full_while_there_is_more_also_where_rows_are_there_twice(place: TestStore) {
    let records: Vec<Record> = (0..60).map(|at| Make::new("log", "x", 1, at).record()).collect();
    let store = place.holding(records.clone()).await;
    // This is how a job leaves the tables for a moment, and how a late delivery leaves them.
    place.execute("INSERT INTO logs_archive SELECT * FROM logs").await;
    let page = store.logs(LogFilter::new().limit(50)).await.expect("reads");
    assert_eq!(page.len(), 50);
    let rest = store.logs(LogFilter::new().limit(50).after(page[49].position())).await.expect("reads");
    let ids: Vec<Uuid> = page.iter().chain(&rest).map(|row| row.id()).collect();
    assert_eq!(ids, records.iter().rev().map(Record::id).collect::<Vec<_>>());
    let trace = store.trace(records[0].trace_id().expect("a trace")).await.expect("reads").expect("there");
    assert_eq!(trace.logs().len(), 60);
    assert!(trace.logs().iter().all(|row| row.event() == Event::Log && row.timestamp() >= Timestamp::from_micros(0)));
}

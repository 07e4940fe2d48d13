//! The queries, and the table of their times.

use std::future::Future;
use std::time::{Duration, Instant};

use ragtrace::Timestamp;
use ragtrace::metrics::RunStatus;
use ragtrace_store::{GroupBy, LogFilter, LogStore, Position, ScoreFilter, StoreError, TraceFilter, Window};

/// The number of times that each query runs, with another value each time where it has one. The
/// first run warms up and does not count.
const RUNS: u64 = 10;
const DAY: Duration = Duration::from_hours(24);

pub async fn measure(store: &LogStore, traces: u64) {
    println!("| {traces} traces | median | slowest | rows | wanted |\n| --- | --- | --- | --- | --- |");
    lists_of_traces(store, traces).await;
    others(store).await;
}

async fn lists_of_traces(store: &LogStore, traces: u64) {
    let all = TraceFilter::new;
    // The traces that have records are the newest.
    let number = |run: u64| run * 7 + 1;
    let filters: [(&str, &dyn Fn(u64) -> TraceFilter); 17] = [
        ("traces()", &|_| all()),
        ("traces(since 1 h)", &|_| all().since(Timestamp::now().minus(Duration::from_hours(1)))),
        ("traces(user)", &|run| all().user_id(format!("user-{}", number(run)))),
        ("traces(tenant)", &|run| all().tenant_id(format!("tenant-{}", run % 10))),
        ("traces(session)", &|run| all().session_id(format!("chat-{}", number(run)))),
        ("traces(operation)", &|_| all().operation("ingestion")),
        ("traces(failed)", &|_| all().status(RunStatus::Failed)),
        ("traces(longer than 1 minute)", &|_| all().longer_than(Duration::from_secs(60))),
        ("traces(longer than 1 second)", &|_| all().longer_than(Duration::from_secs(1))),
        ("traces(ran, all)", &|run| all().ran(format!("stage_{}", 1 + run % 3))),
        ("traces(ran, 1 in 1,000)", &|_| all().ran("reranking")),
        ("traces(ran, none)", &|run| all().ran(format!("never-{run}"))),
        ("traces(error, 1 in 50)", &|run| all().error(["no answer", "HTTPERROR"][run as usize % 2])),
        ("traces(error, 1 in 5,000)", &|_| all().error("Quota of project")),
        ("traces(error, none)", &|run| all().error(format!("never {run}"))),
        ("traces(field, 1 in 3)", &|run| all().field("language", ["en", "de", "fr"][run as usize % 3])),
        ("traces(field, 1 in 1,000)", &|run| all().field("doc.name", format!("report-{}.pdf", number(run)))),
    ];
    for (what, filter) in filters {
        row(what, "< 200 ms", |run| store_traces(store, filter(run))).await;
        // A page far down the list, where every filter that finds anything has rows behind it.
        let deep = middle(store, filter(1), traces).await;
        row(&format!("{what}, later page"), "< 200 ms", |run| store_traces(store, filter(run).after(deep))).await;
    }
}

/// Returns the position of a trace halfway through what a filter may find.
async fn middle(store: &LogStore, filter: TraceFilter, traces: u64) -> Position {
    let found = store.traces(filter.limit(10_000)).await.expect("reads");
    match found.get(found.len() / 2).filter(|_| found.len() < 10_000 || traces < 100_000) {
        Some(trace) => trace.position(),
        None => {
            let until = Timestamp::now().minus(DAY * 15);
            let older = store.traces(TraceFilter::new().until(until).limit(1)).await.expect("reads");
            older.first().or(found.last()).expect("a trace").position()
        }
    }
}

async fn store_traces(store: &LogStore, filter: TraceFilter) -> Result<usize, StoreError> {
    Ok(store.traces(filter).await?.len())
}

async fn others(store: &LogStore) {
    let (day, month) = (Window::last(DAY), Window::last(DAY * 30));
    let logs = LogFilter::new;
    row("logs()", "", async |_| Ok(store.logs(logs().limit(100)).await?.len())).await;
    row("logs(text)", "", async |_| Ok(store.logs(logs().text("no answer").limit(100)).await?.len())).await;
    row("logs(stage)", "", async |_| Ok(store.logs(logs().stage("stage_1").limit(100)).await?.len())).await;
    row("errors()", "", async |_| Ok(store.errors(logs().limit(100)).await?.len())).await;
    row("errors(user)", "", async |run| {
        Ok(store.errors(logs().user_id(format!("user-{run}")).limit(100)).await?.len())
    })
    .await;
    row("error_groups()", "", async |_| Ok(store.error_groups(logs()).await?.groups().len())).await;
    let counts = async |window: Window, steps| store.trace_counts(TraceFilter::new(), window, steps).await;
    row("trace_counts(1 day, 48 steps)", "", async |_| Ok(counts(day, 48).await?.len())).await;
    row("trace_counts(30 days, 60 steps)", "", async |_| Ok(counts(month, 60).await?.len())).await;
    row("stage_stats(1 day)", "", async |_| Ok(store.stage_stats(day).await?.len())).await;
    row("stage_stats(30 days)", "", async |_| Ok(store.stage_stats(month).await?.len())).await;
    for (what, by) in [("tenant", GroupBy::Tenant), ("version", GroupBy::Version), ("user", GroupBy::User)] {
        row(&format!("stage_stats_by({what}, 1 day)"), "", async |_| Ok(store.stage_stats_by(day, by).await?.len()))
            .await;
    }
    let series = async |window, step| store.stage_series(window, step).await;
    row("stage_series(1 day, 15 minutes)", "", async |_| Ok(series(day, Duration::from_mins(15)).await?.len())).await;
    row("stage_series(30 days, 1 day)", "", async |_| Ok(series(month, DAY).await?.len())).await;
    row("costs(1 day)", "", async |_| Ok(store.costs(day).await?.len())).await;
    row("retrieval_stats(1 day)", "", async |_| Ok(store.retrieval_stats(day).await?.len())).await;
    row("recent_scores()", "", async |_| Ok(store.recent_scores(ScoreFilter::new()).await?.len())).await;
}

/// Runs a query several times, and prints the median and the slowest of its times.
async fn row<F: Future<Output = Result<usize, StoreError>>>(what: &str, wanted: &str, query: impl Fn(u64) -> F) {
    let (mut times, mut rows) = (Vec::new(), 0);
    for run in 0..RUNS {
        let began = Instant::now();
        rows = query(run).await.expect(what);
        if run > 0 {
            times.push(began.elapsed());
        }
    }
    times.sort_unstable();
    println!("| {what} | {:.1?} | {:.1?} | {rows} | {wanted} |", times[times.len() / 2], times[times.len() - 1]);
}

//! Measures how long lists and statistics take over stores with many finished traces.
//!
//! - `sqlite TRACES`: a file in the folder for temporary files.
//! - `postgres TRACES`: the server that `run` starts.
//! - `small`: both with few traces, to check that they work.

mod fill;
mod queries;

use std::path::PathBuf;

use ragtrace_store as store;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let mode = arguments.next().unwrap_or_default();
    let traces: u64 = arguments.next().and_then(|number| number.parse().ok()).unwrap_or(1_000_000);
    match mode.as_str() {
        "sqlite" => sqlite(traces).await,
        "postgres" => measure(&postgres_url(), traces).await,
        "small" => {
            sqlite(20_000).await;
            measure(&postgres_url(), 20_000).await;
        }
        _ => panic!("give sqlite, postgres or small, and a number"),
    }
}

/// Returns the URL of the server that `scripts/with-postgres` has started.
fn postgres_url() -> String {
    std::env::var("RAGTRACE_TEST_POSTGRES").expect("run it by benches/reading/run")
}

/// A folder that is deleted at the end.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn sqlite(traces: u64) {
    let folder = Folder(std::env::temp_dir().join(format!("ragtrace-bench-reading-{}", std::process::id())));
    std::fs::create_dir(&folder.0).expect("a folder of its own");
    measure(&format!("sqlite:{}", folder.0.join("ragtrace.db").display()), traces).await;
}

async fn measure(url: &str, traces: u64) {
    store::migrate(url).await.expect("the tables are made");
    fill::fill(url, traces).await;
    let store = store::open(url).await.expect("opens");
    queries::measure(&store, traces).await;
}

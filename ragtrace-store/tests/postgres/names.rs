//! Schemas, databases and roles of any name that PostgreSQL accepts.

use std::time::Duration;

use ragtrace::Sink;
use ragtrace::sink::Verdict;
use ragtrace_store::retention::{Purge, Retention};
use ragtrace_store::{self as store, LogFilter, PostgresSink, TraceFilter, Window};

use super::chaos::records;
use super::server::Database;
use crate::cluster::Cluster;
use crate::support::{BEGIN, TRACE, batch, ingestion};

/// Names that have another meaning if they are not quoted, or quoted too seldom or too often.
const NAMES: [&str; 26] = [
    "myapp",
    "MyApp",
    "MYAPP",
    "my.app",
    "my app",
    " ",
    "my-app",
    "1st",
    "select",
    "user",
    "public.x",
    "a,b",
    "a\"b",
    "\"",
    "\"\"MyApp\"\"",
    "it's",
    "back\\slash",
    "%s",
    "100%I",
    "$1",
    "überwachung_ß",
    "日本語のスキーマ",
    "🦀",
    "a\nb\tc",
    ";DROP SCHEMA myapp CASCADE;--",
    "x23456789_123456789_123456789_123456789_123456789_123456789_123",
];

/// Returns a name for a URL, with every byte percent-encoded.
fn encoded(name: &str) -> String {
    let codes: Vec<String> = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
    codes.concat()
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[tokio::test]
async fn a_schema_of_any_name_is_written_read_and_tidied_up() {
    let database = Database::on(Cluster::shared());
    let url = |name: &str| format!("{}?schema={}", database.url(), encoded(name));
    // All schemas are in one database, so that none may find another's tables.
    for name in NAMES {
        let sink = PostgresSink::new(url(name));
        sink.deliver(&batch(ingestion().into_iter().chain(records(1_200)))).await.expect(name);
        sink.close().await;
    }
    for (at, name) in NAMES.into_iter().enumerate() {
        let sink = PostgresSink::new(database.url()).schema(name);
        sink.deliver(&batch(records(1))).await.expect(name);
        let rows = format!("SELECT count(*) FROM {}.logs", quoted(name));
        assert_eq!(database.number(&rows), 1_209, "{name}");
        let days = format!(
            "SELECT count(*) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
            WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = '{}')",
            name.replace('\'', "''")
        );
        assert!(database.number(&days) >= 4, "{name}");
        let store = store::open(&url(name)).await.expect(name);
        let tail = store.tail(None).await.expect(name).cursor;
        assert!(store.trace(TRACE.parse().expect("an id")).await.expect(name).is_some());
        assert_eq!(store.logs(LogFilter::new().limit(9_999)).await.expect(name).len(), 1_209);
        assert_eq!(store.errors(LogFilter::new().user_id("alice")).await.expect(name).len(), 2);
        assert_eq!(store.traces(TraceFilter::new()).await.expect(name).len(), 1);
        let day = Duration::from_hours(24);
        assert!(!store.stage_stats(Window::new(BEGIN.minus(day), BEGIN.plus(day))).await.expect(name).is_empty());
        store.inflight().await.expect(name);
        store.stages().await.expect(name);
        sink.deliver(&batch(records(2))).await.expect(name);
        assert_eq!(store.tail(Some(tail)).await.expect(name).rows.len(), 2, "{name}");
        // A reader of one tenant, named like the schema.
        let role = quoted(&format!("{name:.50}{at}"));
        let literal = format!("{name:.50}{at}").replace('\'', "''");
        let allow = format!("{}.allow_reader('{literal}', 'acme')", quoted(name));
        database.sql(&format!("CREATE ROLE {role} LOGIN; SELECT {allow}"));
        let reader = database.url_as(&encoded(&format!("{name:.50}{at}")));
        let reader = store::open(&format!("{reader}?schema={}", encoded(name))).await.expect(name);
        assert_eq!(reader.logs(LogFilter::new().limit(9_999)).await.expect(name).len(), 1_211);
        let later = BEGIN.plus(day * 10);
        let job = store::retain(&url(name), &Retention::new().sample(0.0).at(later), |_| {}).await.expect(name);
        assert_eq!((job.archived, job.is_running_elsewhere), (1, false), "{name}");
        store::purge(&url(name), &Purge::of("alice"), |_| {}).await.expect(name);
        assert_eq!(database.number(&format!("SELECT count(*) FROM {}.logs_archive", quoted(name))), 0, "{name}");
        store::migrate(&url(name)).await.expect(name);
    }
    let strays = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace";
    assert_eq!(database.number(strays), 0);
    assert_eq!(
        database.number("SELECT count(*) FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema$|public$)'"),
        26
    );
}

#[tokio::test]
async fn a_name_that_no_schema_can_have_is_refused_before_anything_is_made() {
    let database = Database::on(Cluster::shared());
    let long = "x".repeat(64);
    let wide = "ä".repeat(32);
    for (name, says) in [
        (long.as_str(), "63 bytes"),
        (wide.as_str(), "63 bytes"),
        ("pg_x", "`pg_`"),
        ("pg_catalog", "`pg_`"),
        ("$user", "role"),
        ("a\0b", "U+0000"),
    ] {
        let url = format!("{}?schema={}", database.url(), encoded(name));
        let error = PostgresSink::new(&*url).deliver(&batch([])).await.expect_err(name);
        assert_eq!(error.verdict(), Verdict::Park, "{error}");
        assert!(error.to_string().contains(says), "{error}");
        let error = store::open(&url).await.expect_err(name);
        assert!(error.is_bad_url() && error.to_string().contains(says), "{error}");
        assert!(store::migrate(&url).await.expect_err(name).is_bad_url());
    }
    let error = store::open(&format!("{}?schema=a%2", database.url())).await.expect_err("half a code");
    assert!(error.is_bad_url() && error.to_string().contains("malformed"), "{error}");
    assert_eq!(database.number("SELECT count(*) FROM pg_namespace WHERE nspname ~ '^(x|pg_x|a)'"), 0);
}

#[tokio::test]
async fn a_database_and_a_role_of_any_name_and_password_are_reached() {
    let cluster = Cluster::shared();
    let base = Database::on(cluster).url();
    let (base, _) = base.rsplit_once('/').expect("a URL");
    for (at, name) in NAMES.into_iter().enumerate() {
        let name = format!("{at}{name:.50}");
        cluster.sql("postgres", &format!("CREATE ROLE {} LOGIN PASSWORD 'x'", quoted(&name)));
        let create = format!("CREATE DATABASE {} OWNER {} TEMPLATE template0", quoted(&name), quoted(&name));
        cluster.sql("postgres", &create);
        let user = encoded(&name);
        let url = base.replace("postgres@", &format!("{user}:p%2Fa%3As%40s{user}@"));
        let url = format!("{url}/{user}?schema={user}");
        PostgresSink::new(&*url).deliver(&batch(ingestion())).await.expect(&name);
        let store = store::open(&url).await.expect(&name);
        assert_eq!(store.logs(LogFilter::new()).await.expect(&name).len(), 8);
    }
}

#[tokio::test]
async fn a_server_is_reached_at_an_address_of_version_6_and_at_a_socket() {
    let cluster = Cluster::start("-c listen_addresses=127.0.0.1,::1");
    let database = Database::on(&cluster);
    let folder = cluster.folder().display().to_string();
    let (name, port) = (&database.name, cluster.port());
    let has_v6 = std::net::TcpStream::connect(("::1", port)).is_ok();
    let mut urls = vec![
        format!("postgres://postgres@/{name}?host={folder}&port={port}"),
        format!("postgres://postgres@{}:{port}/{name}", encoded(&folder)),
        format!("postgresql:///{name}?host={}&port={port}&user=postgres", encoded(&folder)),
    ];
    if has_v6 {
        urls.push(format!("postgres://postgres@[::1]:{port}/{name}"));
        urls.push(format!("postgres://postgres@[0:0:0:0:0:0:0:1]:{port}/{name}?sslmode=prefer"));
        urls.push(format!("postgres://postgres@nowhere/{name}?hostaddr=::1&port={port}"));
    } else {
        println!("this machine has no address of version 6");
    }
    for url in &urls {
        PostgresSink::new(url.as_str()).deliver(&batch(ingestion())).await.expect(url);
        store::open(url).await.expect(url);
    }
    assert_eq!(database.number("SELECT count(*) FROM logs"), 8 * i64::try_from(urls.len()).expect("few"));
}

//! Compares ways of writing a batch over one connection, to see which one justifies its code.

use std::path::Path;
use std::time::Instant;

use sqlx::postgres::{PgArguments, PgConnection};
use sqlx::{AssertSqlSafe, Connection, Postgres, query::Query};
use uuid::Uuid;

use crate::{Line, psql, url};

const ROWS: usize = 100_000;
/// The length of the header in the binary format of `COPY`: the signature, the flags, and the
/// length of an extension.
const HEADER: usize = 19;

/// The columns of `logs` in order, with their types on the wire.
const COLUMNS: [(&str, &str); 32] = [
    ("id", "uuid"),
    ("timestamp", "bigint"),
    ("trace_id", "uuid"),
    ("span_id", "text"),
    ("parent_span_id", "text"),
    ("local_root", "boolean"),
    ("request_id", "text"),
    ("user_id", "text"),
    ("tenant_id", "text"),
    ("session_id", "text"),
    ("request_type", "text"),
    ("logger", "text"),
    ("level", "text"),
    ("message", "text"),
    ("event", "text"),
    ("stage", "text"),
    ("kind", "text"),
    ("duration_ms", "double precision"),
    ("item_count", "bigint"),
    ("context", "jsonb"),
    ("metrics", "jsonb"),
    ("error", "jsonb"),
    ("stack_trace", "text"),
    ("source", "jsonb"),
    ("service", "text"),
    ("environment", "text"),
    ("version", "text"),
    ("host", "text"),
    ("instance", "uuid"),
    ("thread", "text"),
    ("created_at", "bigint"),
    ("written", "bigint"),
];

/// A row of the file, as bytes and as fields.
struct Tuple<'a> {
    bytes: &'a [u8],
    fields: Vec<Option<&'a [u8]>>,
}

/// Measures the rows a second of each way with the rows of a file that `COPY` has written, and of
/// one INSERT per row in transactions of a hundred. Returns the latter separately.
pub fn run(file: &Path) -> (Vec<Line>, f64) {
    let bytes = std::fs::read(file).expect("the file is there");
    let tuples = tuples(&bytes);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let measure = |way: &str, size| {
        psql("TRUNCATE logs; CHECKPOINT");
        runtime.block_on(each(way, &bytes[..HEADER], &tuples, size))
    };
    let mut lines = Vec::new();
    for size in [100, 1_000, 10_000] {
        let speeds = ["COPY", "UNNEST", "JSON"].map(|way| format!("{way} {:.0}", measure(way, size)));
        lines.push(Line::new(format!("rows/s over one connection, {size} a transaction"), speeds.join(", ")));
    }
    let row_by_row = measure("rows", 100);
    psql("TRUNCATE logs");
    (lines, row_by_row)
}

async fn each(way: &str, header: &[u8], tuples: &[Tuple<'_>], size: usize) -> f64 {
    let url = format!("{}?options=-csearch_path%3Dragtrace", url());
    let mut connection = PgConnection::connect(&url).await.expect("connects");
    // A hundred small transactions are enough.
    let tuples = &tuples[..tuples.len().min(size * 100)];
    let started = Instant::now();
    for tuples in tuples.chunks(size) {
        let mut transaction = connection.begin().await.expect("begins");
        match way {
            "COPY" => copy(&mut transaction, header, tuples).await,
            "UNNEST" => unnest(&mut transaction, tuples).await,
            "rows" => row_by_row(&mut transaction, tuples).await,
            _ => json(&mut transaction, tuples).await,
        }
        transaction.commit().await.expect("committed");
    }
    tuples.len() as f64 / started.elapsed().as_secs_f64()
}

async fn copy(connection: &mut PgConnection, header: &[u8], tuples: &[Tuple<'_>]) {
    let mut copy = connection.copy_in_raw("COPY logs FROM STDIN (FORMAT binary)").await.expect("begins");
    let mut piece = header.to_vec();
    for tuple in tuples {
        piece.extend_from_slice(tuple.bytes);
        if piece.len() > 64 << 10 {
            copy.send(piece.as_slice()).await.expect("sent");
            piece.clear();
        }
    }
    piece.extend_from_slice(&(-1_i16).to_be_bytes());
    copy.send(piece.as_slice()).await.expect("sent");
    copy.finish().await.expect("copied");
}

/// Returns the list of selected expressions, where `from` returns the source of each column.
fn selected(from: impl Fn(usize, &str) -> String) -> String {
    let column = |(at, (name, sent)): (usize, &(&str, &str))| match (*name, *sent) {
        ("timestamp" | "created_at", _) => {
            format!("'2000-01-01'::timestamptz + {} * interval '1 microsecond'", from(at, name))
        }
        (_, "jsonb") => format!("{}::jsonb", from(at, name)),
        _ => from(at, name),
    };
    COLUMNS.iter().enumerate().map(column).collect::<Vec<_>>().join(", ")
}

async fn row_by_row(connection: &mut PgConnection, tuples: &[Tuple<'_>]) {
    let values = selected(|at, _| format!("${}::{}", at + 1, sent_as(COLUMNS[at].1)));
    let insert = format!("INSERT INTO logs ({}) VALUES ({values})", COLUMNS.map(|(name, _)| name).join(", "));
    for tuple in tuples {
        let mut query = sqlx::query(AssertSqlSafe(insert.as_str()));
        for (at, (_, sent)) in COLUMNS.iter().enumerate() {
            query = bind(query, sent, &[tuple.fields[at]], true);
        }
        query.execute(&mut *connection).await.expect("inserted");
    }
}

/// Returns the type as which a column is sent: JSON is sent as text.
fn sent_as(sent: &str) -> &str {
    if sent == "jsonb" { "text" } else { sent }
}

async fn unnest(connection: &mut PgConnection, tuples: &[Tuple<'_>]) {
    let arrays = COLUMNS.iter().enumerate().map(|(at, (_, sent))| format!("${}::{}[]", at + 1, sent_as(sent)));
    let names = COLUMNS.map(|(name, _)| name).join(", ");
    let (selected, arrays) = (selected(|_, name| name.to_owned()), arrays.collect::<Vec<_>>().join(", "));
    let insert = format!("INSERT INTO logs ({names}) SELECT {selected} FROM unnest({arrays}) AS r({names})");
    let mut query = sqlx::query(AssertSqlSafe(insert));
    for (at, (_, sent)) in COLUMNS.iter().enumerate() {
        let fields: Vec<_> = tuples.iter().map(|tuple| tuple.fields[at]).collect();
        query = bind(query, sent, &fields, false);
    }
    query.execute(connection).await.expect("inserted");
}

/// Binds the values of a column as an array, or a single value if `alone` is set.
fn bind<'q>(
    query: Query<'q, Postgres, PgArguments>,
    sent: &str,
    fields: &[Option<&[u8]>],
    alone: bool,
) -> Query<'q, Postgres, PgArguments> {
    macro_rules! put {
        ($of:expr) => {{
            let mut values: Vec<Option<_>> = fields.iter().map(|field| field.map($of)).collect();
            if alone { query.bind(values.pop().flatten()) } else { query.bind(values) }
        }};
    }
    let eight = |field: &[u8]| <[u8; 8]>::try_from(field).expect("eight bytes");
    let text = |field: &[u8]| String::from_utf8_lossy(field).into_owned();
    match sent {
        "uuid" => put!(|field| Uuid::from_slice(field).expect("an id")),
        "boolean" => put!(|field| field[0] != 0),
        "double precision" => put!(|field| f64::from_be_bytes(eight(field))),
        "bigint" => put!(|field| i64::from_be_bytes(eight(field))),
        // The value follows a byte with the version of the format.
        "jsonb" => put!(|field| text(&field[1..])),
        _ => put!(text),
    }
}

async fn json(connection: &mut PgConnection, tuples: &[Tuple<'_>]) {
    let rows: Vec<serde_json::Value> = tuples.iter().map(row).collect();
    let selected = selected(|_, name| name.to_owned());
    let typed = COLUMNS.map(|(name, sent)| format!("{name} {}", sent_as(sent)));
    let insert =
        format!("INSERT INTO logs SELECT {selected} FROM json_to_recordset($1::text::json) AS r({})", typed.join(", "));
    let rows = serde_json::Value::from(rows).to_string();
    sqlx::query(AssertSqlSafe(insert)).bind(rows).execute(connection).await.expect("inserted");
}

fn row(tuple: &Tuple<'_>) -> serde_json::Value {
    let field = |field: &[u8], sent: &str| -> serde_json::Value {
        let eight = || <[u8; 8]>::try_from(field).expect("eight bytes");
        match sent {
            "uuid" => Uuid::from_slice(field).expect("an id").to_string().into(),
            "boolean" => (field[0] != 0).into(),
            "double precision" => f64::from_be_bytes(eight()).into(),
            "bigint" => i64::from_be_bytes(eight()).into(),
            "jsonb" => String::from_utf8_lossy(&field[1..]).into(),
            _ => String::from_utf8_lossy(field).into(),
        }
    };
    let fields = COLUMNS.iter().zip(&tuple.fields);
    fields.filter_map(|((name, sent), value)| Some(((*name).to_owned(), field((*value)?, sent)))).collect()
}

/// Returns at most [`ROWS`] rows of a file in the binary format of `COPY`.
fn tuples(bytes: &[u8]) -> Vec<Tuple<'_>> {
    let mut at = HEADER;
    let mut tuples = Vec::with_capacity(ROWS);
    while tuples.len() < ROWS {
        let begin = at;
        let number = i16::from_be_bytes(bytes[at..at + 2].try_into().expect("two bytes"));
        // The end of the file has -1 instead of a number of fields.
        let Ok(number) = usize::try_from(number) else { break };
        at += 2;
        let fields = (0..number).map(|_| {
            let length = i32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
            at += 4;
            let length = usize::try_from(length).ok()?;
            at += length;
            Some(&bytes[at - length..at])
        });
        let fields = fields.collect();
        tuples.push(Tuple { bytes: &bytes[begin..at], fields });
    }
    tuples
}

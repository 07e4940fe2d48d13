//! The queries of the Grafana dashboard, as Grafana sends them.

use ragtrace::{Record, Sink};
use serde_json::{Value as Json, json};

use super::server::Database;
use crate::cluster::Cluster;
use crate::support::{BEGIN, Make, batch, ingestion, run};

fn dashboard() -> Json {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/grafana/postgres.json");
    serde_json::from_str(&std::fs::read_to_string(path).expect("the dashboard")).expect("JSON")
}

/// Returns the titles and statements of the panels, and the names and statements of the variables.
fn statements(dashboard: &Json) -> Vec<(String, String)> {
    let text = |json: &Json| json.as_str().map(str::to_owned);
    let panels = dashboard["panels"].as_array().expect("panels").iter().flat_map(|panel| {
        let targets = panel["targets"].as_array().into_iter().flatten();
        targets.map(|target| (text(&panel["title"]).expect("a title"), text(&target["rawSql"]).expect("a statement")))
    });
    let variables = dashboard["templating"]["list"].as_array().expect("variables").iter();
    let variables = variables.filter(|variable| variable["type"] == "query");
    let variables = variables.map(|one| (text(&one["name"]).expect("a name"), text(&one["query"]).expect("a query")));
    panels.chain(variables).collect()
}

/// Replaces Grafana's macros and the dashboard's variables as Grafana does for an interval of a
/// minute, two chosen tenants and two operations.
fn expanded(statement: &str) -> String {
    let (from, to) = (BEGIN.minus(std::time::Duration::from_hours(2)), BEGIN.plus(std::time::Duration::from_hours(2)));
    let mut expanded = String::new();
    let mut rest = statement;
    while let Some((before, called)) = rest.split_once("$__time") {
        let (name, after) = called.split_once('(').expect("a call");
        let (arguments, after) = after.split_once(')').expect("the end of the call");
        let column = arguments.split(',').next().expect("a column").trim();
        let minute = format!("to_timestamp(floor(extract(epoch FROM {column}) / 60) * 60)");
        let replacement = match name {
            "Filter" => format!("{column} BETWEEN '{from}' AND '{to}'"),
            "Group" => minute,
            "GroupAlias" => format!("{minute} AS \"time\""),
            other => panic!("$__time{other} is not known to this test"),
        };
        expanded.extend([before, &replacement]);
        rest = after;
    }
    expanded.push_str(rest);
    let replaced = [
        ("$__interval", "1m"),
        ("$schema", "ragtrace"),
        ("$tenant", "'acme','it''s'"),
        ("$operation", "'ingestion','ask'"),
    ];
    replaced.iter().fold(expanded, |text, (from, to)| text.replace(from, to))
}

/// Returns records of every sort that the panels show.
fn records() -> Vec<Record> {
    let (_, answer) = run("completed", "generation", 21, (0, 900));
    let answer = answer.trace("0199a1c2-7b1e-7a54-9c01-000000000002").with("kind", "generate");
    let answer = answer.with("context", json!({"model": "small"}));
    let answer = answer
        .metrics(json!({"duration_ms": 900.0, "cost_usd": 0.01, "input_tokens": 812, "output_tokens": 90}))
        .with("local_root", true)
        .with("stage", "ask");
    let score = Make::new("score", "ask", 21, 1_000).with("score", json!({"name": "faithfulness", "value": 0.9}));
    let score = score.trace("0199a1c2-7b1e-7a54-9c01-000000000002");
    // It has started just now, in a process that reports, and not ended.
    let now = ragtrace::Timestamp::now().to_string();
    let open =
        Make::new("started", "retrieval", 31, 0).with("timestamp", now).trace("0199a1c2-7b1e-7a54-9c01-000000000003");
    ingestion().into_iter().chain([answer.record(), score.record(), open.record()]).collect()
}

#[tokio::test]
async fn every_query_of_the_dashboard_finds_what_was_written() {
    let cluster = Cluster::start("");
    let database = Database::on(&cluster);
    let sink = database.sink();
    sink.deliver(&batch(records())).await.expect("delivered");
    let statements = statements(&dashboard());
    assert!(statements.len() > 15, "{statements:?}");
    for (title, statement) in statements {
        let found = database.sql(&expanded(&statement));
        assert!(!found.is_empty(), "{title} is empty: {}", expanded(&statement));
    }
    let requests = dashboard()["panels"]
        .as_array()
        .expect("panels")
        .iter()
        .find(|one| one["title"] == "Requests by outcome")
        .cloned();
    let counted = expanded(requests.expect("there")["targets"][0]["rawSql"].as_str().expect("a statement"));
    let counted =
        database.sql(&format!("SELECT sum(completed), sum(failed), sum(cancelled) FROM ({counted}) AS counted"));
    assert_eq!(counted, "1|1|0");
    sink.close().await;
}

#[tokio::test]
async fn a_tenant_sees_the_dashboard_of_its_own_rows() {
    let cluster = Cluster::start("");
    let database = Database::on(&cluster);
    let sink = database.sink();
    sink.deliver(&batch(records())).await.expect("delivered");
    for (role, tenant, seen) in [("acme_grafana", "acme", true), ("umbrella_grafana", "umbrella", false)] {
        database.sql(&format!("CREATE ROLE {role} LOGIN; SELECT allow_reader('{role}', '{tenant}')"));
        for (title, statement) in statements(&dashboard()) {
            // The count of processes tells no tenant's rows.
            if title == "Live processes" {
                continue;
            }
            let found = database.sql(&format!("SET ROLE {role}; {}", expanded(&statement)));
            let rows = found.lines().filter(|line| !matches!(*line, "SET" | "" | "0"));
            assert_eq!(rows.count() > 0, seen, "{title} as {role}: {found}");
        }
    }
    sink.close().await;
}

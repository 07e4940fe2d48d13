//! The pages, their JSON, and their links.

use std::collections::BTreeSet;

use ragtrace::Timestamp;
use serde_json::json;

use crate::support::{Make, TRACE, ingestion};
use crate::viewer::{Viewer, holding};

const OTHER: &str = "0199a1c2-7b1e-7a54-9c01-ffffffffffff";

/// Returns finished runs of the last hours by several users, each in a trace of its own.
fn recent(count: u64) -> Vec<ragtrace::Record> {
    let run = |number: u64| {
        let at = Timestamp::now().minus(std::time::Duration::from_secs(60 * (number + 1)));
        let event = if number.is_multiple_of(5) { "failed" } else { "completed" };
        let make = Make::new(event, "question", number + 1, 0)
            .trace(&uuid::Uuid::from_u128(u128::from(number) + 0x0199_a1c2_7b1e_7a54_9c01_0000_0000_0000).to_string())
            .with("timestamp", at.to_string())
            .with("local_root", true)
            .with("user_id", format!("user-{}", number % 3))
            .metrics(
                json!({"duration_ms": 10 * (number + 1), "cost_usd": 0.001, "input_tokens": 100, "output_tokens": 10}),
            )
            .with("context", json!({"model": "small-1", "doc.name": "report.pdf"}));
        let make = if event == "failed" {
            make.with("error", json!({"type": "Timeout", "message": format!("no answer in {number} s"), "chain": []}))
        } else {
            make
        };
        make.record()
    };
    (0..count).map(run).collect()
}

/// Returns the paths of links of a page, without those of its frame.
fn links(page: &str) -> Vec<String> {
    let main = page.split("<main").nth(1).expect("a main part");
    main.split("href=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .map(|href| href.replace("&amp;", "&"))
        .collect()
}

#[test]
fn every_page_answers_for_an_empty_store_and_says_what_to_do() {
    let file = holding([]);
    let viewer = Viewer::of(&file.url(), &[]);
    for path in ["/", "/stages", "/costs", "/errors", "/errors?view=rows", "/scores", "/live"] {
        let page = viewer.get(path).expect(200);
        assert!(page.body.contains("class=\"empty\"") || path == "/live", "{path}");
        assert_eq!(page.body.matches("<h1").count(), 1, "{path}");
        assert!(page.body.starts_with("<!DOCTYPE html><html lang=\"en\""), "{path}");
        assert!(page.body.contains("aria-current=\"page\""), "{path}");
    }
    for path in
        ["/traces.json", "/stages.json", "/costs.json", "/errors.json", "/scores.json", "/live.json", "/?format=json"]
    {
        let answer = viewer.get(path).expect(200);
        assert_eq!((answer.header("content-type"), answer.json()), (Some("application/json"), json!([])), "{path}");
    }
    viewer.get("/traces/histogram?part=1").expect(200);
    viewer.get("/find?q=last").expect(404);
}

#[test]
fn traces_are_found_by_each_filter_and_by_all_of_them() {
    let file = holding(ingestion().into_iter().chain(recent(20)));
    let viewer = Viewer::of(&file.url(), &[]);
    let found =
        |query: &str| viewer.get(&format!("/traces.json?{query}")).expect(200).json().as_array().map_or(0, Vec::len);
    assert_eq!(found(""), 21);
    for (query, expected) in [
        ("user=alice", 1),
        ("user=user-1", 7),
        ("tenant=acme", 21),
        ("tenant=none", 0),
        ("operation=question", 20),
        ("status=failed", 5),
        ("status=completed", 16),
        ("since=1h", 20),
        ("until=2026-11-23", 1),
        ("longer=150ms", 7),
        ("longer=1.4s", 1),
        ("ran=chunk_embedding", 1),
        ("error=overloaded", 1),
        ("error=NO+ANSWER", 4),
        ("field=doc.name%3Dreport.pdf", 21),
        ("field=doc.name%3Dother.pdf", 0),
        ("status=failed&error=no+answer&user=user-0", 2),
        ("user=", 21),
        ("limit=3", 3),
        ("limit=0", 1),
    ] {
        assert_eq!(found(query), expected, "{query}");
    }
    let page = viewer.get("/?status=failed&error=overloaded").expect(200);
    assert!(page.body.contains("value=\"overloaded\"") && page.body.contains(TRACE), "the form keeps the filter");
    assert!(page.body.contains("Remove the filter error"));
    assert!(!page.body.contains(OTHER));
}

#[test]
fn pages_of_a_list_have_each_row_once() {
    let file = holding(recent(25));
    let viewer = Viewer::of(&file.url(), &[]);
    for start in ["/?limit=7", "/errors?view=rows&limit=2", "/?limit=7&status=completed"] {
        let (mut seen, mut next, mut pages) = (Vec::new(), start.to_owned(), 0);
        loop {
            let page = viewer.get(&next).expect(200);
            let rows = links(&page.body).into_iter().filter(|link| link.starts_with("/trace/"));
            let rows: BTreeSet<_> = rows.map(|link| link[..43].to_owned()).collect();
            seen.extend(rows);
            pages += 1;
            let link = page.body.split("rel=\"next\" href=\"").nth(1).and_then(|rest| rest.split('"').next());
            let Some(link) = link else { break };
            next = link.replace("&amp;", "&");
        }
        let unique: BTreeSet<_> = seen.iter().collect();
        assert_eq!((unique.len(), pages > 1), (seen.len(), true), "{start}");
        let expected = if start.contains("errors") {
            5
        } else if start.contains("completed") {
            20
        } else {
            25
        };
        assert_eq!(seen.len(), expected, "{start}");
    }
    let json = viewer.get("/traces.json?limit=7").expect(200);
    let link = json.header("link").expect("the next page");
    let next = link.strip_prefix('<').and_then(|link| link.split('>').next()).expect("an address");
    assert_eq!(viewer.get(next).expect(200).json().as_array().map(Vec::len), Some(7));
}

#[test]
fn every_link_of_every_page_leads_somewhere() {
    let file = holding(ingestion().into_iter().chain(recent(12)));
    let viewer = Viewer::of(&file.url(), &[]);
    let mut seen = BTreeSet::new();
    let starts = ["/", "/stages", "/costs", "/errors", "/errors?view=rows", "/scores", "/live", "/traces/histogram"];
    for start in starts {
        let page = viewer.get(start).expect(200);
        for link in links(&page.body) {
            // The pages of one trace have tests of their own.
            if !link.starts_with("/trace/") && seen.insert(link.clone()) {
                assert_eq!(viewer.get(&link).status, 200, "{start} leads to {link}");
            }
        }
    }
    assert!(seen.len() > 30, "{seen:?}");
}

#[test]
fn a_bar_of_the_histogram_narrows_the_list_to_what_it_counts() {
    let file = holding(recent(20));
    let viewer = Viewer::of(&file.url(), &[]);
    let counts = viewer.get("/traces/histogram?format=json&since=1h").expect(200).json();
    let total: u64 = counts
        .as_array()
        .expect("a list")
        .iter()
        .map(|step| step["completed"].as_u64().unwrap_or(0) + step["failed"].as_u64().unwrap_or(0))
        .sum();
    assert_eq!(total, 20);
    let chart = viewer.get("/traces/histogram?part=1&since=1h&user=user-1").expect(200);
    let bars = chart.body.split("<a href=\"").skip(1).filter(|bar| bar.contains("class=\"hit\""));
    let mut listed = 0;
    for bar in bars.filter(|bar| {
        bar.split("</a>")
            .next()
            .is_some_and(|bar| bar.contains("class=\"completed\"") || bar.contains("class=\"failed\""))
    }) {
        let href = bar.split('"').next().expect("an address").replace("&amp;", "&");
        assert!(href.contains("user=user-1") && !href.contains("part="), "{href}");
        listed += viewer.get(&format!("{href}&format=json")).expect(200).json().as_array().map_or(0, Vec::len);
    }
    assert_eq!(listed, 7);
}

#[test]
fn stages_costs_and_errors_are_summed_up() {
    let file = holding(recent(20));
    let viewer = Viewer::of(&file.url(), &[]);
    let stages = viewer.get("/stages.json").expect(200).json();
    assert_eq!(
        (stages[0]["stage"].as_str(), stages[0]["runs"].as_u64(), stages[0]["failed"].as_u64()),
        (Some("question"), Some(20), Some(4))
    );
    let page = viewer.get("/stages/question").expect(200);
    assert!(
        page.body.contains("Durations over time") && page.body.contains("Newest failures") && page.body.contains("p99")
    );
    let costs = viewer.get("/costs.json").expect(200).json();
    assert_eq!(
        (costs[0]["model"].as_str(), costs[0]["runs"].as_u64(), costs[0]["input_tokens"].as_u64()),
        (Some("small-1"), Some(20), Some(2_000))
    );
    let page = viewer.get("/costs").expect(200);
    assert!(page.body.contains("$0.02") && page.body.contains("2,000"), "{}", page.body);
    let groups = viewer.get("/errors.json").expect(200).json();
    assert_eq!((groups.as_array().map(Vec::len), groups[0]["count"].as_u64()), (Some(1), Some(4)));
    let page = viewer.get("/errors").expect(200);
    let rows = links(&page.body)
        .into_iter()
        .find(|link| link.contains("view=rows") && link.contains("text="))
        .expect("a link to its errors");
    assert_eq!(viewer.get(&format!("{rows}&format=json")).expect(200).json().as_array().map(Vec::len), Some(4));
}

#[test]
fn a_trace_is_found_by_the_start_of_its_id() {
    let file = holding(ingestion());
    let viewer = Viewer::of(&file.url(), &[]);
    for named in [TRACE, "0199a1c2", "last", "0199A1C27B1E", "%200199a1c2%20"] {
        let answer = viewer.get(&format!("/find?q={named}")).expect(303);
        assert_eq!(answer.header("location"), Some(format!("/trace/{TRACE}").as_str()), "{named}");
    }
    viewer.get("/find?q=ffff").expect(404);
    viewer.get("/find?q=").expect(303);
}

#[test]
fn an_asset_is_kept_by_its_tag_and_its_address() {
    let file = holding(ingestion());
    let viewer = Viewer::of(&file.url(), &[]);
    let page = viewer.get("/").expect(200);
    let assets = page.body.split("=\"/assets/").skip(1).filter_map(|rest| rest.split('"').next());
    let assets: Vec<_> = assets.map(|asset| format!("/assets/{asset}")).collect();
    assert!(assets.len() >= 5, "{assets:?}");
    for asset in &assets {
        let answer = viewer.get(asset).expect(200);
        let tag = answer.header("etag").expect("a tag").to_owned();
        for known in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()] {
            let again = viewer.get_with(asset, &[("if-none-match", &known)]).expect(304);
            assert_eq!((again.body.as_str(), again.header("etag")), ("", Some(tag.as_str())));
        }
        viewer.get_with(asset, &[("if-none-match", "\"other\"")]).expect(200);
        let name = asset.rsplit('/').next().expect("a name");
        let old = viewer.get(&format!("/assets/0123456789abcdef/{name}")).expect(200);
        assert_eq!((old.header("cache-control"), &old.body), (Some("no-cache"), &answer.body));
    }
}

#[test]
fn the_colours_are_those_that_the_visitor_chose() {
    let file = holding(ingestion());
    let viewer = Viewer::of(&file.url(), &[]);
    for (cookie, theme) in [
        ("", "system"),
        ("ragtrace_theme=dark", "dark"),
        ("a=b; ragtrace_theme=light", "light"),
        ("ragtrace_theme=\"><b>", "system"),
    ] {
        let page = viewer.get_with("/", &[("cookie", cookie)]).expect(200);
        assert!(page.body.contains(&format!("data-theme=\"{theme}\"")), "{cookie}");
    }
}

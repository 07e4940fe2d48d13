//! Secrets are removed from texts in whatever notation they are, and everything else stays.

mod corpus;
mod innocents;
mod pipeline;
mod planted;
mod secrets;

use pipeline::redacted;

/// The replacement for a secret.
const MARK: &str = "[redacted]";

/// Returns a ratio with four decimals.
fn ratio(part: usize, whole: usize) -> String {
    let of_ten_thousand = part * 10_000 / whole.max(1);
    format!("{}.{:04}", of_ten_thousand / 10_000, of_ten_thousand % 10_000)
}

#[test]
fn no_piece_of_a_planted_secret_is_left() {
    let texts: Vec<String> = planted::SECRETS.iter().map(|(text, _)| (*text).to_owned()).collect();
    let mut leaks = Vec::new();
    for ((text, secret), left) in planted::SECRETS.iter().zip(redacted(&texts)) {
        if secret.split('|').any(|piece| left.contains(piece)) || !left.contains(MARK) {
            leaks.push(format!("{text}\n  {left}"));
        }
    }
    assert!(leaks.is_empty(), "{}", leaks.join("\n"));
}

#[test]
fn what_only_resembles_a_secret_stays() {
    let texts: Vec<String> = planted::INNOCENTS.iter().map(|text| (*text).to_owned()).collect();
    for (text, left) in texts.iter().zip(redacted(&texts)) {
        assert_eq!(*text, left);
    }
}

#[test]
fn what_was_redacted_is_not_redacted_again() {
    let texts: Vec<String> = planted::SECRETS.iter().map(|(text, _)| (*text).to_owned()).collect();
    let once = redacted(&texts);
    assert_eq!(redacted(&once), once);
}

#[test]
fn what_stands_around_a_secret_stays() {
    let cases = [
        (
            "Config {\n    password: Some(\n        \"hunter2secret\",\n    ),\n}",
            "Config {\n    password: Some(\n        \"[redacted]\",\n    ),\n}",
        ),
        ("{\"password\": String(\"hunter2secret\")}", "{\"password\": String(\"[redacted]\")}"),
        ("{\"x-api-key\":[\"abcdef123456\"]}", "{\"x-api-key\":[\"[redacted]\"]}"),
        (r#"{\\\"password\\\":\\\"hunter2\\\",\\\"n\\\":1}"#, r#"{\\\"password\\\":\\\"[redacted]\\\",\\\"n\\\":1}"#),
        ("Cookie: theme=\"dark\"; sid=s3cr3t\nHost: x", "Cookie: [redacted]\nHost: x"),
        ("postgres://app:pa/ss#word1@db/x", "postgres://app:[redacted]@db/x"),
        ("Server=db;Password=ab,cd&ef12345;Timeout=3", "Server=db;Password=[redacted];Timeout=3"),
        ("Password=ab,cd&ef12345;", "Password=[redacted];"),
        ("Pwd={a;b}}c1};Encrypt=yes", "Pwd={[redacted]};Encrypt=yes"),
        ("PGPASSWORD=hunter2 psql -h db", "PGPASSWORD=[redacted] psql -h db"),
        ("GET /x?api_key=ab%2Fc&page=2 200", "GET /x?api_key=[redacted]&page=2 200"),
        ("[\"tool\", \"--password\", \"hunter2\", \"-v\"]", "[\"tool\", \"--password\", \"[redacted]\", \"-v\"]"),
        ("key: |\n  x\npassword: |\n  ab\n  cd\nuser: bob", "key: |\n  x\npassword: |\n  [redacted]\nuser: bob"),
        ("IDENTIFIED BY 'it''s hunter2' REQUIRE SSL", "IDENTIFIED BY '[redacted]' REQUIRE SSL"),
        ("<password>hunter2</password><user>bob</user>", "<password>[redacted]</password><user>bob</user>"),
        ("curl -u bob:hunter2 https://x", "curl -u bob:[redacted] https://x"),
    ];
    let texts: Vec<String> = cases.iter().map(|(text, _)| (*text).to_owned()).collect();
    for ((text, expected), left) in cases.iter().zip(redacted(&texts)) {
        assert_eq!(left, *expected, "{text}");
    }
}

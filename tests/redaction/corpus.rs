//! Secrets in many notations, written by the crates that implement these.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::json;

use crate::pipeline::{keep, redacted};
use crate::ratio;
use crate::secrets::secrets;

const SEED: u64 = 20_261_126;

/// The names of secrets.
const NAMES: &[&str] = &[
    "password",
    "DB_PASSWORD",
    "PGPASSWORD",
    "DBPassword",
    "userPasswd",
    "db_pass",
    "api_key",
    "X-Api-Key",
    "AWSSecretKey",
    "client_secret",
    "auth_token",
    "accessToken",
    "private_key",
    "a_setting_whose_name_is_much_longer_than_names_of_settings_are_for_the_database_password",
];

#[derive(Debug)]
#[expect(dead_code, reason = "read by its `Debug`")]
struct Config<'a> {
    user: &'a str,
    password: Option<Password<'a>>,
    api_key: &'a str,
    port: u16,
    session: Session<'a>,
}

#[derive(Debug)]
#[expect(dead_code, reason = "read by its `Debug`")]
struct Password<'a>(&'a str);

#[derive(Debug)]
#[expect(dead_code, reason = "read by its `Debug`")]
struct Session<'a> {
    auth_token: Result<&'a str, ()>,
    secret_key: &'a [u8],
    client_secret: (&'a str,),
    credentials: Login<'a>,
}

#[derive(Debug)]
#[expect(dead_code, reason = "read by its `Debug`")]
struct Login<'a> {
    name: &'a str,
    with: &'a str,
}

/// A notation, and the function that writes a name and a secret in it, if that is possible.
type Notation = (&'static str, fn(&str, &str) -> Option<String>);

const NOTATIONS: &[Notation] = &[
    ("JSON", |name, secret| Some(object(name, secret).to_string())),
    ("JSON, pretty", |name, secret| serde_json::to_string_pretty(&object(name, secret)).ok()),
    ("JSON, nested", |name, secret| Some(json!({"a": [{"b": {name: [secret, secret]}}], "n": 1}).to_string())),
    ("JSON in a string", |name, secret| Some(escaped(object(name, secret).to_string(), 1))),
    ("JSON in a string in a string", |name, secret| Some(escaped(object(name, secret).to_string(), 2))),
    ("JSON in three strings", |name, secret| Some(escaped(object(name, secret).to_string(), 3))),
    ("Debug of JSON", |name, secret| Some(format!("{:?}", object(name, secret)))),
    ("Debug of JSON, pretty", |name, secret| Some(format!("{:#?}", object(name, secret)))),
    ("Debug of a map", |name, secret| Some(format!("{:?}", BTreeMap::from([(name, Some(secret))])))),
    ("Debug of a map, pretty", |name, secret| Some(format!("{:#?}", BTreeMap::from([(name, vec![secret])])))),
    ("Debug of pairs", |name, secret| Some(format!("{:?}", [("user", "bob"), (name, secret)]))),
    ("Debug of a struct", |_, secret| Some(format!("{:?}", config(secret)))),
    ("Debug of a struct, pretty", |_, secret| Some(format!("{:#?}", config(secret)))),
    ("Debug in a string", |_, secret| Some(escaped(format!("{:#?}", config(secret)), 1))),
    ("Debug of headers", |name, secret| headers(name, secret).map(|headers| format!("{headers:?}"))),
    ("Debug of headers, pretty", |name, secret| headers(name, secret).map(|headers| format!("{headers:#?}"))),
    ("headers", |name, secret| {
        let headers = headers(name, secret)?;
        let lines = headers.iter().map(|(name, value)| Some(format!("{name}: {}\r\n", value.to_str().ok()?)));
        lines.collect()
    }),
    ("TOML", |name, secret| toml::to_string(&object(name, secret)).ok()),
    ("TOML, pretty", |name, secret| toml::to_string_pretty(&json!({"db": {name: [secret, secret]}, "n": 1})).ok()),
    ("TOML, inline", |name, secret| Some(format!("db = {}", toml::Value::try_from(object(name, secret)).ok()?))),
    ("YAML", |name, secret| serde_saphyr::to_string(&BTreeMap::from([("a", "b"), (name, secret)])).ok()),
    ("YAML, nested", |name, secret| {
        serde_saphyr::to_string(&BTreeMap::from([("db", BTreeMap::from([(name, vec![secret, secret])]))])).ok()
    }),
    ("a query", |name, secret| {
        let mut url = url::Url::parse("https://x.example/y?page=2").ok()?;
        url.query_pairs_mut().append_pair(name, secret).append_pair("n", "1");
        Some(format!("GET {url} 200"))
    }),
    ("user information", |_, secret| {
        let mut url = url::Url::parse("postgres://bob@db.example/x").ok()?;
        url.set_password(Some(secret)).ok()?;
        Some(format!("cannot connect to {url}: refused"))
    }),
    ("user information as it is", |_, secret| {
        let is_possible = !secret.contains([' ', '"', '<', '>', '`', '\\']) && secret.is_ascii();
        is_possible.then(|| format!("cannot connect to postgres://bob:{secret}@db.example/x"))
    }),
    ("the environment", |name, secret| {
        let name = name.replace('-', "_");
        let quoted = secret.replace('\'', "'\\''");
        Some(format!("RUST_LOG=info {name}='{quoted}' ./serve --port 80"))
    }),
    ("a connection string", |name, secret| {
        let name = name.replace(['-', '_'], "");
        let quoted = secret.replace('"', "\"\"");
        (!secret.contains('\\')).then(|| format!("Server=db;User Id=bob;{name}=\"{quoted}\";Timeout=3"))
    }),
    ("a connection string in braces", |_, secret| {
        let quoted = secret.replace('}', "}}");
        (!secret.contains(['"', '\''])).then(|| format!("Driver={{x}};Uid=bob;Pwd={{{quoted}}};Encrypt=yes"))
    }),
    ("SQL", |_, secret| Some(format!("ALTER USER bob WITH PASSWORD '{}'; COMMIT", secret.replace('\'', "''")))),
    ("Debug of a command", |name, secret| {
        Some(format!("{:?}", ["tool", &format!("--{}", name.to_lowercase()), secret]))
    }),
    ("the command line", |name, secret| {
        let quoted = secret.replace('\'', "'\\''");
        Some(format!("tool --{} '{quoted}' --port 80", name.to_lowercase().replace('_', "-")))
    }),
];

fn object(name: &str, secret: &str) -> serde_json::Value {
    json!({"a": "b", name: secret, "z": 1})
}

fn escaped(text: String, times: usize) -> String {
    (0..times).fold(text, |text, _| serde_json::Value::String(text).to_string())
}

fn config(secret: &str) -> Config<'_> {
    let session = Session {
        auth_token: Ok(secret),
        secret_key: secret.as_bytes(),
        client_secret: (secret,),
        credentials: Login { name: "bob", with: secret },
    };
    Config { user: "bob", password: Some(Password(secret)), api_key: secret, port: 5432, session }
}

fn headers(name: &str, secret: &str) -> Option<HeaderMap> {
    let value = |text: &str| HeaderValue::from_str(text).ok();
    let name = HeaderName::from_bytes(name.replace('_', "-").to_lowercase().as_bytes()).ok()?;
    if !secret.is_ascii() {
        return None;
    }
    let mut headers = HeaderMap::new();
    headers.insert("accept", value("*/*")?);
    headers.insert(name, value(secret)?);
    headers.insert("authorization", value(&format!("Bearer {secret}"))?);
    headers.insert("cookie", value(&format!("theme=\"dark\"; sid=\"{secret}\"; lang=en"))?);
    Some(headers)
}

/// Returns the parts of a secret that must not remain, as they are written and as they may be
/// escaped.
fn runs(secret: &str) -> BTreeSet<String> {
    const RUN: usize = 4;
    let bytes = format!("{:?}", secret.as_bytes());
    let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let forms = [secret.to_owned(), escaped(secret.to_owned(), 1), encoded];
    let mut runs: BTreeSet<String> = forms
        .iter()
        .flat_map(|form| {
            let chars: Vec<char> = form.chars().collect();
            chars.windows(RUN).map(|run| run.iter().collect()).collect::<Vec<String>>()
        })
        .collect();
    let numbers: Vec<&str> = bytes.trim_matches(['[', ']']).split(", ").collect();
    runs.extend(numbers.windows(RUN).map(|run| run.join(", ")));
    runs
}

/// A line of the corpus, and the parts of it that must not remain.
struct Line {
    notation: &'static str,
    text: String,
    runs: BTreeSet<String>,
}

fn lines(rng: &mut Rng) -> Vec<Line> {
    let mut lines = Vec::new();
    for name in NAMES {
        for secret in secrets(rng, 12) {
            for (notation, write) in NOTATIONS {
                let Some(text) = write(name, &secret) else { continue };
                // Text that is the same with any secret is not part of this one.
                let around = write(name, "0").unwrap_or_default();
                let runs = runs(&secret).into_iter().filter(|run| !around.contains(run.as_str())).collect();
                lines.push(Line { notation, text, runs });
            }
        }
    }
    lines
}

#[test]
fn secrets_are_gone_in_every_notation_that_crates_write() {
    println!("seed {SEED}");
    let lines = lines(&mut Rng::with_seed(SEED));
    assert!(lines.len() >= 4_000, "{}", lines.len());
    let texts: Vec<String> = lines.iter().map(|line| line.text.clone()).collect();
    keep("secrets", &texts);
    let left = redacted(&texts);
    let mut leaks: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (line, left) in lines.iter().zip(&left) {
        if let Some(run) = line.runs.iter().find(|run| left.contains(run.as_str())) {
            leaks.entry(line.notation).or_default().push(format!("{run:?} of {}\n    is in {left}", line.text));
        }
    }
    let leaking: usize = leaks.values().map(Vec::len).sum();
    println!("{} lines with a secret, recall {}", lines.len(), ratio(lines.len() - leaking, lines.len()));
    for (notation, leaks) in &leaks {
        println!("{notation}: {}\n  {}", leaks.len(), leaks[..leaks.len().min(3)].join("\n  "));
    }
    assert_eq!(leaking, 0);
    assert_eq!(redacted(&left), left, "what was redacted is not redacted again");
}

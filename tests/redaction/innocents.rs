//! Texts that were not written for this test: the files of dependencies, and cargo's output. They
//! are read where they are.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::pipeline::{keep, redacted};
use crate::ratio;

/// Returns the folder of the registry's packages.
fn registry() -> PathBuf {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| env::home_dir().map(|home| home.join(".cargo")));
    home.expect("cargo has a home").join("registry/src")
}

/// Returns the folders of the packages in the lock file, without their indexes.
fn packages() -> Vec<String> {
    let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock");
    let lock = fs::read_to_string(lock).expect("there is a lock file");
    let value = |line: &str, key: &str| Some(line.strip_prefix(key)?.trim_matches('"').to_owned());
    let lines: Vec<&str> = lock.lines().collect();
    let pair = |pair: &[&str]| Some(format!("{}-{}", value(pair[0], "name = ")?, value(pair[1], "version = ")?));
    lines.windows(2).filter_map(pair).collect()
}

fn lines() -> Vec<String> {
    let mut lines = Vec::new();
    let indexes = fs::read_dir(registry()).expect("packages were downloaded").flatten();
    let indexes: Vec<PathBuf> = indexes.map(|index| index.path()).collect();
    for package in packages() {
        for index in &indexes {
            for file in ["README.md", "CHANGELOG.md"] {
                let text = fs::read(index.join(&package).join(file)).unwrap_or_default();
                lines.extend(String::from_utf8_lossy(&text).lines().map(str::to_owned));
            }
        }
    }
    for command in ["publish", "login", "build", "test", "install", "search", "owner"] {
        let said = Command::new(env!("CARGO")).args(["help", command]).env("PAGER", "cat").output();
        if let Ok(said) = said {
            lines.extend(String::from_utf8_lossy(&said.stdout).lines().map(str::to_owned));
        }
    }
    lines.retain(|line| !line.trim().is_empty() && line.len() < 4_096);
    lines
}

/// Returns `true` if a line does contain a secret, such as an example in a URL or a string in code.
fn has_one(line: &str) -> bool {
    let in_url = line.split_once("://").is_some_and(|(_, rest)| {
        rest.split_once('@').is_some_and(|(user, _)| user.contains(':'))
            || rest.contains("token=")
            || rest.contains("key=")
    });
    let lower = line.to_ascii_lowercase();
    let names = ["password", "secret", "token", "authorization", "cookie", "_key", "apikey", "credential"];
    let is_string = names.iter().any(|name| {
        lower.match_indices(name).any(|(at, name)| {
            let rest = &lower[at + name.len()..];
            let sign = rest.trim_start_matches(['"', '\'', ')', ' ']);
            sign.starts_with(['=', ':', ',']) && rest.contains(['"', '\''])
        })
    });
    let is_argument = ["password ", "passphrase "].iter().any(|name| lower.contains(&format!("-{name}")));
    in_url || is_string || is_argument
}

#[test]
fn what_packages_and_cargo_say_stays() {
    let lines = lines();
    assert!(lines.len() >= 4_000, "{}", lines.len());
    keep("innocents", &lines);
    let left = redacted(&lines);
    let hits: Vec<(&String, &String)> = lines.iter().zip(&left).filter(|(line, left)| line != left).collect();
    let wrong: Vec<_> = hits.iter().filter(|(line, _)| !has_one(line)).collect();
    println!("{} lines, {} redacted, {} of them without a secret", lines.len(), hits.len(), wrong.len());
    println!("precision {}", ratio(hits.len() - wrong.len(), hits.len()));
    for (line, left) in &hits {
        println!("{line}\n  {left}");
    }
    // One in ten thousand is allowed, and at least three.
    assert!(wrong.len() <= 3 + lines.len() / 10_000, "{wrong:#?}");
    assert!(hits.len() <= 10 + lines.len() / 1_000, "{hits:#?}");
}

//! The diagnostics of crates of older editions, in which paths have another meaning.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

use serde_json::Value;

/// Returns the compiler's errors and warnings about a library with this source.
fn said(edition: &str, source: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("edition_{edition}"));
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    fs::create_dir_all(folder.join("src")).unwrap();
    let manifest = format!(
        "[package]\nname = \"older\"\nedition = \"{edition}\"\n[workspace]\n[dependencies]\nragtrace.path = {:?}\n",
        here.join("../../ragtrace").display().to_string()
    );
    fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    fs::copy(here.join("../../Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    fs::write(folder.join("src/lib.rs"), source).unwrap();
    let output = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["check", "--offline", "--quiet", "--message-format=json"])
        // The library is compiled once for all of these.
        .env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("locus/target"))
        .env_remove("RUSTFLAGS")
        .current_dir(&folder)
        .output()
        .unwrap();
    let messages = output.stdout.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    let messages: Vec<Value> = messages.map(|line| serde_json::from_slice(line).unwrap()).collect();
    let of_it = messages.iter().filter(|message| message["target"]["name"] == "older");
    let checked = messages.iter().any(|message| message["reason"] == "build-finished");
    assert!(checked, "nothing was checked:\n{}", String::from_utf8_lossy(&output.stderr));
    let diagnostics = of_it.map(|message| &message["message"]);
    let with_place = diagnostics.filter(|diagnostic| diagnostic["spans"].as_array().is_some_and(|at| !at.is_empty()));
    with_place.map(|diagnostic| diagnostic["message"].as_str().unwrap_or_default().to_owned()).collect()
}

const USES: &str = "
#[traced_stage(kind = parse, fields(text, chars = text.len()), ok(|n| n = *n), err(|e| code = *e), record(seen: usize))]
fn parse(text: &str, more: Vec<u8>, _: String) -> Result<usize, u8> {
    record!(seen = more.len());
    if text.is_empty() { return Err(1); }
    Ok(ragtrace::stage!(\"counting\", kind = chunk, { text.len() }))
}

pub fn all() { let _ = parse(\"\", Vec::new(), String::new()); }
";

const MISUSES: [(&str, &str); 5] = [
    ("#[traced_stage(kind = chunks)] pub fn a() {}", "unknown kind `chunks`"),
    ("#[traced_stage] pub struct A;", "`#[traced_stage]` can only be applied to a function, not to this `struct`"),
    ("#[traced_stage(stream)] pub fn a() {}", "this function returns nothing"),
    ("#[traced_stage(record(n: u8))] pub fn a() { record!(m = 1) }", "`m` is not declared in `record(…)`"),
    ("pub fn a() { ragtrace::stage!({}) }", "a block needs a name"),
];

#[test]
fn crates_of_older_editions_are_told_the_same() {
    for edition in ["2015", "2018", "2021"] {
        let head = "extern crate ragtrace;\nuse ragtrace::traced_stage;\n";
        assert_eq!(said(edition, &format!("{head}{USES}")), [""; 0], "edition {edition}");
        for (misuse, message) in MISUSES {
            let import = if misuse.starts_with('#') { head } else { "extern crate ragtrace;\n" };
            let said = said(edition, &format!("{import}{misuse}\n"));
            assert!(said.len() == 1 && said[0].contains(message), "edition {edition}: {misuse}: {said:?}");
        }
    }
}

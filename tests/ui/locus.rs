//! A user's own mistakes are reported where they are made: every file in `locus/` is checked with
//! its attributes and without, and the compiler's diagnostics must be the same.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use serde_json::Value;

/// The compiler's diagnostics about each file: level, code, message and primary places.
pub(crate) type Said = BTreeMap<String, Vec<String>>;

#[test]
fn mistakes_are_reported_as_without_the_attribute() {
    let project = Project::new("locus");
    let stages = project.check(&["check"], "stages", str::to_owned);
    let plain = project.check(&["check"], "plain", without_attributes);
    assert!(plain.len() >= 25, "there are {} files", plain.len());
    let mut differences = Vec::new();
    for (file, plain) in &plain {
        assert!(!plain.is_empty(), "{file} has no mistake");
        let stages = &stages[file];
        let same = if file.starts_with("returned_") { lines(stages) == lines(plain) } else { stages == plain };
        if !same {
            let (plain, stages) = (plain.join("\n    "), stages.join("\n    "));
            differences.push(format!("{file}\n  plain:\n    {plain}\n  stages:\n    {stages}"));
        }
    }
    assert!(differences.is_empty(), "the compiler says something else:\n{}", differences.join("\n"));
}

/// Returns the lines on which errors begin.
fn lines(said: &[String]) -> BTreeSet<&str> {
    said.iter().filter_map(|said| said.split(':').next()).collect()
}

pub(crate) fn without_attributes(source: &str) -> String {
    let is_attribute = |line: &&str| line.trim_start().starts_with("#[ragtrace::traced_stage");
    source.lines().map(|line| if is_attribute(&line) { "" } else { line }).collect::<Vec<_>>().join("\n")
}

/// A package outside the workspace with a program for each file of a folder here.
pub(crate) struct Project {
    name: &'static str,
    folder: PathBuf,
}

impl Project {
    pub(crate) fn new(name: &'static str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        fs::create_dir_all(&folder).unwrap();
        let ragtrace = here.join("../../ragtrace");
        let manifest = format!(
            "[package]\nname = \"{name}\"\nedition = \"2024\"\n[workspace]\n[dependencies]\nfutures-util = \"0.3\"\n\
             ragtrace.path = {:?}\n",
            ragtrace.display().to_string()
        );
        fs::write(folder.join("Cargo.toml"), manifest).unwrap();
        fs::copy(here.join("../../Cargo.lock"), folder.join("Cargo.lock")).unwrap();
        Self { name, folder }
    }

    /// Checks each file, after `change`, with a cargo command, and returns the diagnostics.
    pub(crate) fn check(&self, command: &[&str], kind: &str, change: fn(&str) -> String) -> Said {
        let sources = self.folder.join("src/bin");
        let _ = fs::remove_dir_all(&sources);
        fs::create_dir_all(&sources).unwrap();
        let mut said = Said::new();
        for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(self.name)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            let source = change(&fs::read_to_string(&path).unwrap());
            fs::write(sources.join(format!("{kind}_{name}.rs")), source).unwrap();
            said.insert(name, Vec::new());
        }
        let output = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .arg(command[0])
            .args(["--bins", "--keep-going", "--offline", "--quiet", "--message-format=json"])
            .args(&command[1..])
            // The dependencies are compiled once for all packages.
            .env("CARGO_TARGET_DIR", self.folder.with_file_name("locus").join("target"))
            .env_remove("RUSTFLAGS")
            .current_dir(&self.folder)
            .output()
            .unwrap();
        for line in output.stdout.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
            let message: Value = serde_json::from_slice(line).unwrap();
            let target = message["target"]["name"].as_str().and_then(|name| name.strip_prefix(&format!("{kind}_")));
            if let (Some(target), Some(diagnostic)) = (target, message.get("message")) {
                said.entry(target.to_owned()).or_default().extend(line_of(diagnostic));
            }
        }
        assert!(
            said.values().any(|said| !said.is_empty()),
            "nothing was checked:\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
        for said in said.values_mut() {
            said.sort();
        }
        said
    }
}

/// Returns a diagnostic on one line, unless it only counts others.
fn line_of(diagnostic: &Value) -> Option<String> {
    let spans = diagnostic["spans"].as_array().filter(|spans| !spans.is_empty())?;
    let places = spans.iter().filter(|span| span["is_primary"] == true).map(|span| {
        let number = |name: &str| span[name].as_u64().unwrap_or_default();
        let (from, to) = ((number("line_start"), number("column_start")), (number("line_end"), number("column_end")));
        format!("{}:{}-{}:{}", from.0, from.1, to.0, to.1)
    });
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (level, code) = (text(&diagnostic["level"]), text(&diagnostic["code"]["code"]));
    // The body of a plain function is in a closure, which the compiler mentions.
    let message = text(&diagnostic["message"]).replace("a closure that returns", "a function that returns");
    Some(format!("{} {level} {code}: {message}", places.collect::<Vec<_>>().join(" ")))
}

//! Measures the cost of 500 annotated functions for a build: the time of a release build, and the
//! size of the program.
//!
//! The program creates a crate for each way of annotating the same functions, builds the
//! dependencies once, and then builds the crate itself several times in random order.
//! `./scripts/bench compile [FUNCTIONS]` runs it.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

const REPETITIONS: usize = 3;

struct Way {
    name: &'static str,
    dependency: &'static str,
    attribute: &'static str,
    /// True if the body is an `async` block inside the function. Every attribute that does
    /// something at each poll generates such a block, so this is their common cost.
    is_inner: bool,
}

const WAYS: [Way; 6] = [
    Way { name: "plain", dependency: "", attribute: "", is_inner: false },
    Way { name: "async-block", dependency: "", attribute: "", is_inner: true },
    Way {
        name: "ragtrace",
        dependency: "ragtrace = { path = \"RAGTRACE\" }",
        attribute: "#[ragtrace::traced_stage]",
        is_inner: false,
    },
    Way {
        name: "ragtrace-fields",
        dependency: "ragtrace = { path = \"RAGTRACE\" }",
        attribute: "#[ragtrace::traced_stage(kind = chunk, fields(n), ok(|out| total = out.iter().sum::<u64>()))]",
        is_inner: false,
    },
    Way {
        name: "tracing",
        dependency: "tracing = \"0.1.44\"",
        attribute: "#[tracing::instrument(skip_all)]",
        is_inner: false,
    },
    Way {
        name: "fastrace",
        dependency: "fastrace = { version = \"0.7.19\", features = [\"enable\"] }",
        attribute: "#[fastrace::trace]",
        is_inner: false,
    },
];

fn main() {
    let functions = std::env::args().nth(1).and_then(|number| number.parse().ok()).unwrap_or(500);
    let work = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/compile");
    let mut runs: Vec<usize> = (0..WAYS.len()).flat_map(|way| std::iter::repeat_n(way, REPETITIONS)).collect();
    // The size with a single function contains everything that a way adds independently of the
    // number of functions.
    let mut with_one = Vec::new();
    for way in &WAYS {
        write_crate(&work, way, 1);
        build(&work, way);
        with_one.push(size(&work, way));
        write_crate(&work, way, functions);
        build(&work, way);
    }
    fastrand::shuffle(&mut runs);
    let mut times = vec![Vec::new(); WAYS.len()];
    for way in runs {
        let main = folder(&work, &WAYS[way]).join("src/main.rs");
        let text = fs::read_to_string(&main).expect("it was written");
        // Changes the source, so that nothing of the crate itself is reused from the previous
        // build.
        fs::write(&main, format!("{}\n// {}\n", text.trim_end(), fastrand::u64(..))).expect("it is writable");
        times[way].push(build(&work, &WAYS[way]));
        eprint!(".");
    }
    eprintln!();
    println!("{functions} annotated functions, release build, median of {REPETITIONS}:\n");
    println!("| way | build s | × plain | program KB | KB a function over plain | the same without what is fixed |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: |");
    let median = |times: &[Duration]| {
        let mut times = times.to_vec();
        times.sort();
        times[times.len() / 2].as_secs_f64()
    };
    let (plain, plain_size) = (median(&times[0]), size(&work, &WAYS[0]));
    let more = (functions - 1).max(1) as f64 * 1_024.0;
    let plain_each = (plain_size - with_one[0]) / more;
    for ((way, times), with_one) in WAYS.iter().zip(&times).zip(&with_one) {
        let (time, size) = (median(times), size(&work, way));
        let over = (size - plain_size) / 1_024.0 / functions as f64;
        let each = (size - with_one) / more - plain_each;
        println!("| {} | {time:.1} | {:.2} | {:.0} | {over:.2} | {each:.2} |", way.name, time / plain, size / 1_024.0,);
    }
}

fn folder(work: &Path, way: &Way) -> PathBuf {
    work.join(way.name)
}

fn build(work: &Path, way: &Way) -> Duration {
    let start = Instant::now();
    let status = Command::new("cargo")
        .args(["build", "--release", "--quiet"])
        .current_dir(folder(work, way))
        .env("CARGO_TARGET_DIR", work.join("target"))
        .env("CARGO_INCREMENTAL", "0")
        .status()
        .expect("cargo starts");
    assert!(status.success(), "{} does not build", way.name);
    start.elapsed()
}

fn size(work: &Path, way: &Way) -> f64 {
    let program = work.join("target/release").join(format!("cost-{}", way.name));
    fs::metadata(program).expect("it was built").len() as f64
}

fn write_crate(work: &Path, way: &Way, functions: usize) {
    let folder = folder(work, way);
    fs::create_dir_all(folder.join("src")).expect("a folder for the crate");
    let ragtrace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ragtrace");
    let dependency = way.dependency.replace("RAGTRACE", &ragtrace.display().to_string());
    let manifest = format!(
        "[workspace]\n[package]\nname = \"cost-{}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\
         [dependencies]\ntokio = {{ version = \"1\", features = [\"rt\", \"macros\", \"time\"] }}\n{dependency}\n",
        way.name
    );
    fs::write(folder.join("Cargo.toml"), manifest).expect("it is writable");
    let mut code = String::from(
        "#[derive(Debug)]\npub struct Failure(u64);\n\
         impl std::fmt::Display for Failure {\n    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { write!(f, \"{}\", self.0) }\n}\n\
         impl std::error::Error for Failure {}\n",
    );
    let (begin, end) = if way.is_inner { ("async move {\n    ", "}.await\n") } else { ("", "") };
    for n in 0..functions {
        let _ = write!(
            code,
            "{}\npub async fn stage_{n}(input: &[u64], n: u64) -> Result<Vec<u64>, Failure> {{\n    {begin}\
             let mut out = Vec::with_capacity(input.len());\n    \
             for (at, item) in input.iter().enumerate() {{\n        \
             if item % 1000 == {n} + n {{\n            return Err(Failure(*item));\n        }}\n        \
             if at % 64 == {} {{\n            tokio::task::yield_now().await;\n        }}\n        \
             out.push(item.wrapping_mul({n}) ^ n);\n    }}\n    \
             out.sort_unstable();\n    Ok(out)\n{end}}}\n",
            way.attribute,
            n % 64,
        );
    }
    code.push_str("#[tokio::main(flavor = \"current_thread\")]\nasync fn main() {\n    let input: Vec<u64> = std::env::args().filter_map(|n| n.parse().ok()).collect();\n    let mut total = 0;\n");
    for n in 0..functions {
        let _ = writeln!(code, "    total += stage_{n}(&input, {n}).await.map_or(0, |out| out.len());");
    }
    code.push_str("    println!(\"{total}\");\n}\n");
    fs::write(folder.join("src/main.rs"), code).expect("it is writable");
}

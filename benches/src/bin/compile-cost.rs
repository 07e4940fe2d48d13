//! Measures what 500 annotated functions cost a build: user CPU of a release build, and size of the
//! program.
//!
//! Makes a crate for each way of annotating the same functions, builds its dependencies once, then
//! the crate itself several times in random order. `./scripts/bench compile [FUNCTIONS] [shapes]`
//! calls it: beside the peers, or with `shapes` beside other arguments of the attribute.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const REPETITIONS: usize = 7;

#[derive(Clone, Copy)]
struct Way {
    name: &'static str,
    dependency: &'static str,
    attribute: &'static str,
    body: Body,
}

/// How the body of each function is written.
#[derive(Clone, Copy, PartialEq)]
enum Body {
    AsIs,
    /// An `async` block inside the function, as every attribute makes it that has something to do
    /// at each poll: what they have in common.
    Inner,
    /// It records a field.
    Records,
}

const RAGTRACE: &str = "ragtrace = { path = \"RAGTRACE\" }";
const PLAIN: Way = Way { name: "plain", dependency: "", attribute: "", body: Body::AsIs };
const BARE: Way = ragtrace("ragtrace", "#[ragtrace::traced_stage]");
const FIELDS: Way = ragtrace(
    "ragtrace-fields",
    "#[ragtrace::traced_stage(kind = chunk, fields(n), ok(|out| total = out.iter().sum::<u64>()))]",
);

const PEERS: &[Way] = &[
    PLAIN,
    Way { name: "async-block", body: Body::Inner, ..PLAIN },
    BARE,
    FIELDS,
    Way {
        name: "tracing",
        dependency: "tracing = \"0.1.44\"",
        attribute: "#[tracing::instrument(skip_all)]",
        body: Body::AsIs,
    },
    Way {
        name: "fastrace",
        dependency: "fastrace = { version = \"0.7.19\", features = [\"enable\"] }",
        attribute: "#[fastrace::trace]",
        body: Body::AsIs,
    },
];

const SHAPES: &[Way] = &[
    PLAIN,
    BARE,
    ragtrace("one-field", "#[ragtrace::traced_stage(kind = chunk, fields(n))]"),
    ragtrace("ok", "#[ragtrace::traced_stage(kind = chunk, ok(|out| length = out.len()))]"),
    FIELDS,
    ragtrace("two-fields", "#[ragtrace::traced_stage(kind = chunk, fields(n, length = input.len()))]"),
    ragtrace(
        "five-fields",
        "#[ragtrace::traced_stage(kind = chunk, fields(n, next = n + 1, length = input.len(), text = \"a text\", is_three = n == 3))]",
    ),
    ragtrace("err", "#[ragtrace::traced_stage(kind = chunk, err(|error| code = error.0))]"),
    Way { body: Body::Records, ..ragtrace("record", "#[ragtrace::traced_stage(kind = chunk, record(pages: u64))]") },
];

const fn ragtrace(name: &'static str, attribute: &'static str) -> Way {
    Way { name, dependency: RAGTRACE, attribute, body: Body::AsIs }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let functions = arguments.next().and_then(|number| number.parse().ok()).unwrap_or(500);
    let ways = if arguments.next().is_some_and(|word| word == "shapes") { SHAPES } else { PEERS };
    let work = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/compile");
    // What a way brings along, whatever there is to annotate, is in the program with one function
    // too.
    let mut with_one = Vec::new();
    for way in ways {
        write_crate(&work, way, 1);
        build(&work, way);
        with_one.push(size(&work, way));
        write_crate(&work, way, functions);
        build(&work, way);
    }
    let mut times = vec![Vec::new(); ways.len()];
    for _ in 0..REPETITIONS {
        let mut round: Vec<usize> = (0..ways.len()).collect();
        fastrand::shuffle(&mut round);
        for at in round {
            let (way, times) = (&ways[at], &mut times[at]);
            let main = folder(&work, way).join("src/main.rs");
            let text = fs::read_to_string(&main).expect("it was written");
            // Another text, so that nothing of the crate itself is taken from the last build.
            fs::write(&main, format!("{}\n// {}\n", text.trim_end(), fastrand::u64(..))).expect("it is writable");
            let before = cpu_of_children();
            build(&work, way);
            times.push(cpu_of_children() - before);
            eprint!(".");
        }
    }
    eprintln!();
    println!("{functions} annotated functions, release build, user CPU, median of {REPETITIONS}:\n");
    println!(
        "| way | build CPU s | × plain | program KB | KB a function over plain | the same without what is fixed |"
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: |");
    let median = |times: &[f64]| {
        let mut times = times.to_vec();
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    };
    let (plain, plain_size) = (median(&times[0]), size(&work, &ways[0]));
    let more = (functions - 1).max(1) as f64 * 1_024.0;
    let plain_each = (plain_size - with_one[0]) / more;
    for ((way, times), with_one) in ways.iter().zip(&times).zip(&with_one) {
        let (time, size) = (median(times), size(&work, way));
        let over = (size - plain_size) / 1_024.0 / functions as f64;
        let each = (size - with_one) / more - plain_each;
        println!("| {} | {time:.1} | {:.2} | {:.0} | {over:.2} | {each:.2} |", way.name, time / plain, size / 1_024.0,);
    }
}

/// Returns the user CPU, in seconds, of all processes that have run below this one: the machine may
/// have other work, which elapsed time would count too.
fn cpu_of_children() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").expect("the bench runs on Linux");
    // proc(5): `cutime` is field 16, in ticks of which there are 100 in a second. The name, which
    // is field 2, may have spaces and ends in the last parenthesis.
    let (_, fields) = stat.rsplit_once(')').expect("a name in parentheses");
    let ticks = fields.split_whitespace().nth(13).and_then(|ticks| ticks.parse::<f64>().ok());
    ticks.expect("field 16 is a number") / 100.0
}

fn folder(work: &Path, way: &Way) -> PathBuf {
    work.join(way.name)
}

fn build(work: &Path, way: &Way) {
    let status = Command::new("cargo")
        .args(["build", "--release", "--quiet"])
        .current_dir(folder(work, way))
        .env("CARGO_TARGET_DIR", work.join("target"))
        .env("CARGO_INCREMENTAL", "0")
        .status()
        .expect("cargo starts");
    assert!(status.success(), "{} does not build", way.name);
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
    let (begin, end) = match way.body {
        Body::AsIs => ("", ""),
        Body::Inner => ("async move {\n    ", "}.await\n"),
        Body::Records => ("record!(pages = n);\n    ", ""),
    };
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

//! Lints report the same about a stage as about the function without the attribute: each function
//! of `lints/` is checked by all lints, with its attribute and without. The guide lists the lints
//! that see another function.

use std::collections::BTreeMap;

use crate::locus::{Project, Said, without_attributes};

/// The lints that are silent, or report something else, as the guide says.
const OTHERWISE: [&str; 6] = [
    "clippy::implicit_return",
    "clippy::inline_always",
    "clippy::missing_const_for_fn",
    "clippy::needless_pass_by_value",
    "clippy::single_option_map",
    "clippy::unused_async",
];

/// All lints.
const ALL: [&str; 12] = [
    "clippy",
    "--",
    "-Wclippy::all",
    "-Wclippy::pedantic",
    "-Wclippy::nursery",
    "-Wclippy::restriction",
    "-Aclippy::blanket_clippy_restriction_lints",
    "-Wunused",
    "-Wunused_results",
    "-Wunused_qualifications",
    "-Wunreachable_pub",
    "-Wsingle_use_lifetimes",
];

#[test]
fn lints_are_those_of_the_function() {
    let project = Project::new("lints");
    let stages = project.check(&ALL, "stages", str::to_owned);
    let plain = project.check(&ALL, "plain", without_attributes);
    let (stages, plain) = (counted(&stages), counted(&plain));
    assert!(plain.len() > 50, "only {} are said", plain.len());
    let lost = plain.iter().filter(|(lint, times)| stages.get(*lint) != Some(times));
    let new = stages.keys().filter(|lint| !plain.contains_key(*lint));
    let differs: Vec<&String> = lost.map(|(lint, _)| lint).chain(new).collect();
    let unknown = |lint: &&&String| !OTHERWISE.iter().any(|known| lint.contains(&format!(" {known} ")));
    let unknown: Vec<_> = differs.iter().filter(unknown).collect();
    assert!(unknown.is_empty(), "these are said of one of both: {unknown:#?}");
}

/// Returns how often each lint is reported for a line.
fn counted(said: &Said) -> BTreeMap<String, usize> {
    let mut counted = BTreeMap::new();
    for (file, said) in said {
        for said in said {
            let (line, rest) = said.split_once(':').unwrap_or_default();
            let lint = rest.split(": ").next().unwrap_or_default().rsplit(' ').next().unwrap_or_default();
            *counted.entry(format!("{file} {line} {lint} ")).or_default() += 1;
        }
    }
    counted
}

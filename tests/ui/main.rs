//! The compiler's diagnostics: about misuse of the attribute, and about unrelated mistakes.

mod editions;
mod lints;
mod locus;

use std::fs;
use std::path::Path;

/// Every misuse gives one error, at the wrong token, which says what is allowed.
#[test]
fn misuse_is_refused() {
    trybuild::TestCases::new().compile_fail("fail/*.rs");
}

#[test]
fn misuse_brings_one_error_and_no_warning() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fail");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let said: Vec<_> = files.filter(|path| path.extension().is_some_and(|extension| extension == "stderr")).collect();
    assert!(said.len() >= 25);
    for path in said {
        let text = fs::read_to_string(&path).unwrap();
        let errors = text.lines().filter(|line| line.starts_with("error")).count();
        let warnings = text.lines().filter(|line| line.starts_with("warning")).count();
        assert_eq!((errors, warnings), (1, 0), "{}:\n{text}", path.display());
    }
}

//! Checks that the pages of the module `ragtrace::guide` show the programs as they are.

use std::fs;
use std::path::Path;

#[test]
fn each_page_shows_its_program_and_each_program_has_a_page() {
    let programs = Path::new(env!("CARGO_MANIFEST_DIR"));
    let pages = programs.join("../../ragtrace/src/guide");
    let index = fs::read_to_string(pages.join("index.md")).expect("the index");
    let mut seen = 0;
    for file in fs::read_dir(programs).expect("a folder") {
        let path = file.expect("a file").path();
        let name = path.file_stem().and_then(|name| name.to_str()).expect("a name");
        if path.extension().is_none_or(|extension| extension != "rs") || name == "lib" {
            continue;
        }
        let program = fs::read_to_string(&path).expect("a program");
        let (title, code) = program.split_once("\n\n").expect("a line that says what it is");
        let page = fs::read_to_string(pages.join(name).with_extension("md")).expect("a page");
        let title = title.strip_prefix("//! ").expect("a title");
        assert!(page.starts_with(&format!("{title}\n")), "the page of `{name}` has another title");
        assert!(page.contains(&format!("```no_run\n{code}```\n")), "copy the program `{name}` into its page");
        assert!(index.contains(&format!("[`{name}`]")), "the index of guides lacks `{name}`");
        seen += 1;
    }
    assert_eq!(seen, 10, "the programs");
}

//! Which files of folders are documents.

use std::fs;
use std::path::PathBuf;

use ragtrace_examples::discover::{Found, discover};

fn names(found: &Found) -> Vec<String> {
    let name = |path: &PathBuf| path.file_name().expect("a name").to_string_lossy().into_owned();
    found.documents.iter().map(name).collect()
}

#[test]
fn folders_are_walked_and_other_files_counted() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir_all(folder.path().join("b/c")).expect("folders");
    fs::create_dir(folder.path().join(".git")).expect("a folder");
    for name in ["z.md", "a.txt", "b/page.HTML", "b/c/x.pdf", "b/photo.jpg", ".git/notes.txt", ".hidden.md"] {
        fs::write(folder.path().join(name), "x").expect("a file");
    }
    let found = discover(&[folder.path().to_owned()]);
    assert_eq!(names(&found), ["a.txt", "z.md", "page.HTML", "x.pdf"]);
    assert_eq!(found.skipped, 1);
}

#[test]
fn a_file_named_twice_is_found_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("a.md");
    fs::write(&file, "x").expect("a file");
    let found = discover(&[file.clone(), folder.path().to_owned(), file]);
    assert_eq!(found.documents.len(), 1);
}

#[test]
fn what_is_named_is_kept_even_if_it_cannot_be_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let odd = folder.path().join("a.docx");
    fs::write(&odd, "x").expect("a file");
    let found = discover(&[odd, folder.path().join("missing.md")]);
    assert_eq!(names(&found), ["a.docx", "missing.md"]);
    assert_eq!(found.skipped, 0);
}

#[cfg(unix)]
#[test]
fn a_link_to_a_folder_above_does_not_loop() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("a.md"), "x").expect("a file");
    std::os::unix::fs::symlink(folder.path(), folder.path().join("up")).expect("a link");
    assert_eq!(discover(&[folder.path().to_owned()]).documents.len(), 1);
}

//! Which files of folders are documents.

use std::fs;
use std::path::PathBuf;

use ragtrace_examples::discover::{Found, Rules, discover, discover_by};
use ragtrace_examples::gone::gone;
use ragtrace_examples::parse::Reading;

fn names(found: &Found) -> Vec<String> {
    let name = |path: &PathBuf| path.file_name().expect("a name").to_string_lossy().into_owned();
    found.documents.iter().map(name).collect()
}

#[test]
fn folders_are_walked_and_other_files_counted() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir_all(folder.path().join("b/c")).expect("folders");
    fs::create_dir(folder.path().join(".git")).expect("a folder");
    let others = ["b/photo.jpg", "b/PHOTO.JPG", "Makefile"];
    for name in ["z.md", "a.txt", "b/page.HTML", "b/c/x.pdf", ".git/notes.txt", ".hidden.md"].iter().chain(&others) {
        fs::write(folder.path().join(name), "x").expect("a file");
    }
    let found = discover(&[folder.path().to_owned()]);
    assert_eq!(names(&found), ["a.txt", "z.md", "page.HTML", "x.pdf"]);
    let expected = [("no extension".to_owned(), 1), ("no reader for .jpg".to_owned(), 2)];
    assert_eq!((found.skipped, found.bytes), (expected.into(), 4));
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
    assert!(found.skipped.is_empty());
}

#[cfg(unix)]
#[test]
fn a_link_to_a_folder_above_does_not_loop() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("a.md"), "x").expect("a file");
    std::os::unix::fs::symlink(folder.path(), folder.path().join("up")).expect("a link");
    assert_eq!(discover(&[folder.path().to_owned()]).documents.len(), 1);
}

/// Creates files of one byte, and returns the names of those that are found with `exclude`.
fn found_without(files: &[&str], exclude: &[&str]) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder");
    for name in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, "x").expect("a file");
    }
    let exclude = exclude.iter().map(|pattern| pattern.parse().expect("a pattern")).collect();
    let found = discover_by(&Rules { exclude, reading: None }, &[folder.path().to_owned()]);
    let below = |path: &PathBuf| path.strip_prefix(folder.path()).expect("below").to_string_lossy().replace('\\', "/");
    found.documents.iter().map(below).collect()
}

#[test]
fn a_pattern_without_a_slash_is_about_names_everywhere() {
    let files = ["a.md", "b/a.md", "b/c/d.md", "drafts/e.md", "b/drafts/f.md", "g.tmp.md"];
    assert_eq!(found_without(&files, &["drafts", "*.tmp.md"]), ["a.md", "b/a.md", "b/c/d.md"]);
    assert_eq!(found_without(&files, &["a.md", "drafts/"]), ["g.tmp.md", "b/c/d.md"]);
    assert_eq!(found_without(&files, &["[ag]*"]), ["b/c/d.md", "b/drafts/f.md", "drafts/e.md"]);
    assert_eq!(found_without(&files, &["*"]), [""; 0]);
}

#[test]
fn a_pattern_with_a_slash_is_about_the_path_below_the_named_folder() {
    let files = ["a.md", "b/a.md", "b/c/a.md", "b/c/d/a.md"];
    assert_eq!(found_without(&files, &["b/a.md"]), ["a.md", "b/c/a.md", "b/c/d/a.md"]);
    assert_eq!(found_without(&files, &["/a.md"]), ["b/a.md", "b/c/a.md", "b/c/d/a.md"]);
    assert_eq!(found_without(&files, &["b/*/a.md"]), ["a.md", "b/a.md", "b/c/d/a.md"]);
    assert_eq!(found_without(&files, &["b/**/a.md"]), ["a.md"]);
    assert_eq!(found_without(&files, &["./b/c"]), ["a.md", "b/a.md"]);
}

#[test]
fn a_file_larger_than_the_limit_is_skipped_in_a_folder_and_kept_if_it_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let large = folder.path().join("large.txt");
    fs::write(&large, [b'x'; 2000]).expect("a file");
    fs::write(folder.path().join("small.txt"), [b'x'; 1024]).expect("a file");
    let reading = Reading { max_bytes: Some(1024), ..Reading::default() };
    let rules = Rules { exclude: Vec::new(), reading: Some(reading) };
    let found = discover_by(&rules, &[folder.path().to_owned()]);
    assert_eq!(names(&found), ["small.txt"]);
    assert_eq!(found.skipped, [("larger than 1 KiB".to_owned(), 1)].into());
    assert_eq!(names(&discover_by(&rules, &[large])), ["large.txt"]);
}

#[cfg(unix)]
#[test]
fn a_link_to_a_file_is_followed_and_a_file_reached_twice_is_found_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let other = tempfile::tempdir().expect("another folder");
    fs::write(other.path().join("linked.md"), "x").expect("a file");
    fs::write(folder.path().join("own.md"), "x").expect("a file");
    std::os::unix::fs::symlink(other.path().join("linked.md"), folder.path().join("link.md")).expect("a link");
    std::os::unix::fs::symlink("own.md", folder.path().join("own-link.md")).expect("a link");
    assert_eq!(names(&discover(&[folder.path().to_owned()])), ["link.md", "own-link.md"]);
}

#[test]
fn documents_below_a_named_folder_are_gone_when_their_files_are() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = fs::canonicalize(folder.path()).expect("a path");
    for name in ["in/kept.md", "in/drafts/a.md", "other/b.md"] {
        fs::create_dir_all(root.join(name).parent().expect("a folder")).expect("a folder");
        fs::write(root.join(name), "x").expect("a file");
    }
    let text = |name: &str| root.join(name).to_str().expect("Unicode").to_owned();
    let stored =
        ["in/kept.md", "in/lost.md", "in/away/lost.md", "in/drafts/a.md", "inner/lost.md", "other/lost.md"].map(text);
    let gone_of = |paths: &[&str], exclude: &[&str]| {
        let paths: Vec<_> = paths.iter().map(|path| root.join(path)).collect();
        let exclude = exclude.iter().map(|pattern| pattern.parse().expect("a pattern")).collect();
        let rules = Rules { exclude, reading: None };
        let found = discover_by(&rules, &paths);
        gone(&paths, &rules, &found, &stored)
    };
    assert_eq!(gone_of(&["in"], &[]), ["in/away/lost.md", "in/lost.md"].map(text));
    assert_eq!(gone_of(&["in"], &["drafts"]), ["in/away/lost.md", "in/drafts/a.md", "in/lost.md"].map(text));
    assert_eq!(gone_of(&["in/lost.md", "other/b.md"], &[]), ["in/lost.md"].map(text));
    // The disk of a folder that is missing may just not be mounted.
    assert_eq!(gone_of(&["inner", "in/away"], &[]), [""; 0]);
}

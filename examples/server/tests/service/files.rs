//! Single files: their names, which are only labels, and their contents, which decide.

use serde_json::Value;

use crate::support::multipart::Form;
use crate::support::server::{Server, sample};

fn upload(server: &Server, form: Form) -> Value {
    let answer = server.post("/api/ingest").form(form).send();
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

#[test]
fn a_name_is_a_label_and_never_a_path() {
    let server = Server::start(&[]);
    let cases: [(&[u8], &str); 9] = [
        (b"form-data; name=\"files\"; filename=\"../../etc/passwd\"", "passwd"),
        (b"form-data; name=\"files\"; filename=\"/etc/shadow\"", "shadow"),
        (b"form-data; name=\"files\"; filename=\"a\\b\"", "b"),
        ("form-data; name=\"files\"; filename=\"photo\u{202e}fdp.exe\"".as_bytes(), "photofdp.exe"),
        (b"form-data; name=\"files\"; filename=\"missing a quote.md", "file 1"),
        (b"form-data; name=\"files\"; filename*=UTF-8''encoded.md", "file 1"),
        (b"form-data; name=\"files\"; filename=\"say %22hi%22.md\"", "say \"hi\".md"),
        (b"form-data; name=\"other\"; filename=\"of another part.md\"", "of another part.md"),
        (b"form-data; name=\"files\"", "file 1"),
    ];
    for (at, (disposition, expected)) in cases.into_iter().enumerate() {
        let json = upload(&server, Form::new().part(disposition, format!("Text number {at}.").as_bytes()));
        assert_eq!(json["files"][0]["name"], expected, "{}", String::from_utf8_lossy(disposition));
    }
    let long = format!("{}.md", "x".repeat(2_000));
    let json = upload(&server, Form::new().file(&long, b"A long name."));
    let name = json["files"][0]["name"].as_str().expect("a name");
    assert!(name.len() == 255 && name.ends_with("x.md"), "{name}");
    for name in ["passwd", "shadow", "b", "a\\b", "etc"] {
        assert!(!server.path(name).exists() && !server.path("..").join(name).exists(), "{name}");
    }
}

#[test]
fn a_name_that_is_no_text_counts_as_none() {
    let server = Server::start(&[]);
    let form = Form::new().part(b"form-data; name=\"files\"; filename=\"Latin-\xe9.md\"", b"A name of another time.");
    let json = upload(&server, form);
    assert_eq!((&json["files"][0]["name"], &json["files"][0]["status"]), (&"file 1".into(), &"stored".into()));
}

#[test]
fn the_content_says_what_a_file_is_and_not_its_name() {
    let server = Server::start(&[]);
    let pdf = sample("specification.pdf");
    let late = [&b"junk before the header\n".repeat(20)[..], &pdf].concat();
    let cases: [(&str, &[u8], &str); 4] = [
        ("report.txt", &pdf, "pdf"),
        ("report", b"<!DOCTYPE html><html><body><p>A page.</p></body></html>", "html"),
        ("notes.md", b"<p align=center>A readme.</p>\n\nText.", "markdown"),
        ("cars.txt", b"BMW builds cars, and no picture begins like that.", "text"),
    ];
    for (name, bytes, expected) in cases {
        let json = upload(&server, Form::new().file(name, bytes));
        assert_eq!(json["files"][0]["format"], expected, "{name}");
    }
    // With something before its header, the file is still a PDF, even if it may not be readable.
    let answer = server.post("/api/ingest").form(Form::new().file("late.bin", &late)).send();
    assert_eq!(answer.json()["files"][0]["format"], "pdf");

    let png = Form::new().file("report.pdf", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR");
    let json = server.post("/api/ingest").form(png).send().json();
    assert_eq!(json["files"][0]["format"], Value::Null);
    let error = json["files"][0]["error"].as_str().expect("an error");
    let expected = "parsing failed: this .pdf is image/png, for which there is no reader; give .md, .txt, .html, .pdf";
    assert!(error.starts_with(expected), "{error}");
}

#[test]
fn the_same_bytes_replace_themselves_and_other_bytes_of_that_name_do_not() {
    let server = Server::start(&[]);
    let id = |json: &Value| json["files"][0]["document"].as_str().expect("an id").to_owned();
    let first = id(&upload(&server, Form::new().file("guide.md", &sample("guide.md"))));
    let again = id(&upload(&server, Form::new().file("renamed.md", &sample("guide.md"))));
    let other = id(&upload(&server, Form::new().file("guide.md", b"# Battery\n\nThe battery is red.")));
    assert_eq!(first, again);
    assert_ne!(first, other);

    let question = serde_json::json!({ "question": "How long does the battery last without sun?", "limit": 20 });
    let sources = server.post("/api/ask").json(&question).events().next().expect("sources").data;
    let of =
        |name: &str| sources.as_array().expect("a list").iter().filter(|source| source["document"] == name).count();
    assert!(of("renamed.md") > 0 && of("guide.md") <= 1, "{sources}");
}

#[test]
fn two_files_of_one_name_in_one_request_are_two_documents() {
    let server = Server::start(&[]);
    let form = Form::new().file("a/notes.md", b"The first notes.").file("b/notes.md", b"The second notes.");
    let json = upload(&server, form);
    assert_eq!(json["status"], "completed");
    assert_ne!(json["files"][0]["document"], json["files"][1]["document"]);
}

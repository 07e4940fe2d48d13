//! The parts of a PDF beside the text of its pages: headings, metadata, forms and annotations.

use ragtrace_examples::document::Document;

use super::made::{pdf, saved};
use super::raw::{HELVETICA, Raw};
use super::{read, text};

fn titles(document: &Document) -> Vec<(u8, &str)> {
    document.headings.iter().map(|heading| (heading.level, heading.title.as_str())).collect()
}

/// Returns the text of each section, with the headings above it.
fn sections(document: &Document) -> Vec<(String, &str)> {
    let sections = document.sections().into_iter();
    sections.map(|section| (section.path.join(" > "), document.text[section.range].trim())).collect()
}

const CONTENT: &str = "BT /F1 12 Tf 50 700 Td (1 The pump) Tj 0 -40 Td (It is blue,) Tj 0 -14 Td (and it is) Tj \
                       0 -14 Td (made of steel.) Tj 0 -40 Td (1.1 Care) Tj 0 -14 Td (Wipe it) Tj \
                       0 -14 Td (softly.) Tj 0 -40 Td (Clean it.) Tj ET";

/// Returns a page with two sections, and bookmarks of it and of nothing on it.
fn bookmarked() -> Raw {
    Raw::new(CONTENT, HELVETICA)
        .with("<</Type/Outlines/First 7 0 R/Last 9 0 R/Count 3>>")
        .with("<</Title(The pump)/Parent 6 0 R/Next 9 0 R/First 8 0 R/Last 8 0 R/Count 1/Dest[3 0 R/XYZ 50 712 0]>>")
        .with("<</Title(1.1 Care)/Parent 7 0 R/Dest[3 0 R/FitH 602]>>")
        .with("<</Title<FEFF00DC0062006500720020006E>/Parent 6 0 R/Dest[3 0 R/XYZ 50 548 0]>>")
        .entries(1, "/Outlines 6 0 R")
}

#[tokio::test]
async fn bookmarks_are_headings_where_their_titles_stand() {
    let document = read(&bookmarked().bytes()).await.expect("readable");
    assert_eq!(titles(&document), [(1, "1 The pump"), (2, "1.1 Care"), (1, "Über n")]);
    let expected = [
        ("1 The pump", "1 The pump\n\nIt is blue, and it is made of steel."),
        ("1 The pump > 1.1 Care", "1.1 Care\n\nWipe it softly."),
        ("Über n", "Clean it."),
    ];
    let expected = expected.map(|(path, text)| (path.to_owned(), text));
    assert_eq!(sections(&document), expected);
}

#[tokio::test]
async fn larger_type_makes_headings_where_there_are_no_bookmarks() {
    let content = "BT /F1 20 Tf 50 750 Td (Pump manual) Tj /F1 14 Tf 0 -40 Td (Setup) Tj /F1 10 Tf 0 -30 Td (Plug it in and wait.) Tj \
                   /F1 14 Tf 0 -40 Td (Care) Tj /F1 10 Tf 0 -30 Td (Wipe it with a dry cloth.) Tj ET";
    let document = read(&saved(pdf(&[content], &[]))).await.expect("readable");
    assert_eq!(titles(&document), [(1, "Pump manual"), (2, "Setup"), (2, "Care")]);
}

#[tokio::test]
async fn metadata_is_decoded() {
    let file = String::from_utf8(Raw::new(CONTENT, HELVETICA).with(
        "<</Title<FEFF00DC006200650072>/Author(Ada \\(A.\\) Example)/Keywords()/Subject(a part)/CreationDate(D:20260102030405Z)/ModDate(today)>>",
    ).bytes()).expect("ASCII");
    let document = read(file.replace("/Root 1 0 R", "/Root 1 0 R/Info 6 0 R").as_bytes()).await.expect("readable");
    let metadata: Vec<_> = document.metadata.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let expected = [
        ("title", "Über"),
        ("author", "Ada (A.) Example"),
        ("subject", "a part"),
        ("created", "2026-01-02T03:04:05Z"),
        ("modified", "today"),
    ];
    assert_eq!(metadata, expected);
}

/// Returns a page with these annotations, each a dictionary's entries. They are the fields of the
/// document's form too.
fn annotated(annotations: &[&str]) -> Vec<u8> {
    let references = (0..annotations.len()).map(|at| format!("{} 0 R", at + 6)).collect::<Vec<String>>().join(" ");
    let raw = Raw::new("BT /F1 12 Tf 72 700 Td (Form) Tj ET", HELVETICA)
        .entries(1, &format!("/AcroForm<</Fields[{references}]>>"))
        .entries(3, &format!("/Annots[{references}]"));
    annotations.iter().fold(raw, |raw, entries| raw.with(format!("<</Type/Annot/Rect[9 9 99 19]{entries}>>"))).bytes()
}

#[tokio::test]
async fn the_values_of_a_form_are_in_the_text_of_their_page() {
    let fields = [
        "/Subtype/Widget/FT/Tx/T(name)/V(Ada Example)",
        "/Subtype/Widget/FT/Tx/T(f1)/TU(Street:)/V<FEFF00DC>",
        "/Subtype/Widget/FT/Tx/T(lines)/V(one\\rtwo)",
        "/Subtype/Widget/FT/Ch/Ff 131072/T(size)/Opt[[(s)(Small)][(l)(Large)]]/V(l)",
        "/Subtype/Widget/FT/Ch/Ff 2097152/T(parts)/Opt[(mast)(vane)]/V[(mast)(vane)]",
        "/Subtype/Widget/FT/Btn/T(agreed)/V/Yes/AS/Yes/AP<</N<</Yes 4 0 R/Off 4 0 R>>>>",
        "/Subtype/Widget/FT/Btn/T(news)/V/Off/AS/Off",
        "/Subtype/Widget/FT/Tx/T(empty)",
        "/Subtype/Widget/FT/Tx/Ff 8192/T(code)/V(hunter2)",
    ];
    let expected = "Form\n\nname: Ada Example\n\nStreet: Ü\n\nlines: one\ntwo\n\nsize: Large\n\nparts: mast, vane\n\nagreed: Yes\n\nnews: Off";
    assert_eq!(text(&annotated(&fields)).await, expected);
}

#[tokio::test]
async fn annotations_are_in_the_text_of_their_page_once() {
    let annotations = [
        "/Subtype/Text/Contents(Check the valve.)/T(Ada)",
        "/Subtype/FreeText/Contents(Typed on the page)/DA(/F1 9 Tf)",
        "/Subtype/Highlight/Contents(Important)/QuadPoints[9 9 99 9 9 19 99 19]",
        "/Subtype/Stamp/Contents(Approved)",
        "/Subtype/Popup/Contents(Check the valve.)",
        "/Subtype/Text/F 2/Contents(Hidden)",
        "/Subtype/Link/A<</S/URI/URI(x:y)>>",
        "/Subtype/Square/RC(<body><p>Rich &amp; <b>bold</b></p></body>)",
    ];
    let text = text(&annotated(&annotations)).await;
    let words: Vec<&str> = text.split_whitespace().collect();
    assert_eq!(words.join(" "), "Form Check the valve. Typed on the page Important Approved Rich & bold");
}

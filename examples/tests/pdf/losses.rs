//! Everything that is missing from the text is told, with its page and its cause.

use std::error::Error as _;

use ragtrace_examples::document::{Loss, LossKind};
use ragtrace_examples::parse::ParseError;

use super::made::{pdf, saved, with_undecodable_pages};
use super::raw::{HELVETICA, Raw, mapped, stream};
use super::read;

#[tokio::test]
async fn a_page_that_cannot_be_read_is_told_with_its_cause_and_does_not_cost_the_others() {
    let document = read(&with_undecodable_pages(2)).await.expect("readable");
    assert_eq!(document.text.trim(), "Sound.");
    let cause = "the page contents could not be read: unsupported filter /Nonesuch";
    let lost = |page| Loss { page: Some(page), kind: LossKind::Stream, cause: cause.to_owned() };
    assert_eq!(document.losses, [lost(2), lost(3)]);
}

#[tokio::test]
async fn a_pdf_of_which_no_page_can_be_read_is_an_error_with_the_cause() {
    let mut file = pdf(&["BT ET"], &[]);
    let page = file.page_iter().next().expect("a page");
    let content = file.get_page_contents(page)[0];
    file.get_object_mut(content).and_then(|object| object.as_stream_mut()).expect("a stream").dict.set("Filter", "No");
    let error = read(&saved(file)).await.expect_err("nothing to read");
    assert!(matches!(error, ParseError::BrokenPdf(_)), "{error:?}");
    let cause = error.source().expect("a cause").to_string();
    assert_eq!(cause, "page 1: the page contents could not be read: unsupported filter /No");
}

#[tokio::test]
async fn pages_that_are_declared_and_missing_are_told() {
    let mut file = pdf(&["BT /F1 12 Tf 50 700 Td (Sound.) Tj ET"], &[]);
    let pages = file.catalog().and_then(|catalog| catalog.get(b"Pages")?.as_reference()).expect("pages");
    file.get_dictionary_mut(pages).expect("pages").set("Count", 3_i64);
    let document = read(&saved(file)).await.expect("readable");
    let cause = "the file says that it has 3 pages, of which 1 were found".to_owned();
    assert_eq!(document.losses, [Loss { page: None, kind: LossKind::Page, cause }]);
}

#[tokio::test]
async fn glyphs_that_their_font_maps_to_nothing_are_counted_and_no_control_stays() {
    let map = [("41", "0041"), ("42", "0000"), ("43", "0007"), ("44", "0044")];
    let map = map.map(|(code, text)| (code.to_owned(), text.to_owned()));
    let document = read(&mapped("(ABACDA)", &map)).await.expect("readable");
    assert!(!document.text.contains(char::is_control), "{:?}", document.text);
    assert_eq!(document.text, "A A DA");
    let cause = "the font ABCDEF+Made does not tell which characters 2 glyphs are".to_owned();
    assert_eq!(document.losses, [Loss { page: Some(1), kind: LossKind::Font, cause }]);
}

#[tokio::test]
async fn a_form_that_is_missing_is_told() {
    let content = "/Fx Do BT /F1 12 Tf 50 700 Td (Sound.) Tj ET";
    let document = read(&Raw::new(content, HELVETICA).bytes()).await.expect("readable");
    assert_eq!(document.text, "Sound.");
    assert_eq!(document.losses.len(), 1, "{:?}", document.losses);
    assert_eq!(document.losses[0].to_string(), "page 1: an XObject could not be read: missing resource");
}

/// Returns a PDF whose first page an image covers, with `content` on it, and whose second is sound.
fn scanned(content: &str) -> Vec<u8> {
    let image = "/Type/XObject/Subtype/Image/Width 1/Height 1/ColorSpace/DeviceGray/BitsPerComponent 8";
    let page = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 8 0 R/Resources<</Font<</F1 5 0 R>>>>>>";
    let sound = stream("", "BT /F1 12 Tf 50 700 Td (A sound page.) Tj ET");
    let raw = Raw::new(&format!("q 612 0 0 792 0 0 cm /Im Do Q {content}"), HELVETICA)
        .with(stream(image, "x"))
        .with(page)
        .with(sound);
    let bytes = raw.entries(3, "").bytes();
    let file = String::from_utf8(bytes).expect("ASCII");
    let file = file.replacen("/Font<</F1 5 0 R>>", "/Font<</F1 5 0 R>>/XObject<</Im 6 0 R>>", 1);
    file.replace("/Kids[3 0 R]/Count 1", "/Kids[3 0 R 7 0 R]/Count 2").into_bytes()
}

#[tokio::test]
async fn a_page_that_is_a_scan_is_told() {
    for (content, words) in [("", "no text"), ("BT /F1 9 Tf 300 20 Td (Page 7) Tj ET", "only 5 letters")] {
        let document = read(&scanned(content)).await.expect("readable");
        assert!(document.text.ends_with("A sound page."), "{}", document.text);
        let cause =
            format!("an image covers it, and it has {words}; if it is a scan, run text recognition (OCR) over it");
        assert_eq!(document.losses, [Loss { page: Some(1), kind: LossKind::LittleText, cause }]);
    }
}

#[tokio::test]
async fn a_scan_with_recognized_text_is_sound() {
    let line =
        "(The pump in the house by the river is serviced every six months, and its valves are cleaned) Tj 0 -14 Td ";
    let document =
        read(&scanned(&format!("BT 3 Tr /F1 12 Tf 50 700 Td {} ET", line.repeat(4)))).await.expect("readable");
    assert_eq!(document.losses, []);
    assert!(document.text.contains("serviced every six months"), "{}", document.text);
}

#[tokio::test]
async fn a_pdf_of_pictures_is_an_error() {
    let only = String::from_utf8(scanned("")).expect("ASCII").replace("A sound page.", "");
    for bytes in [only.into_bytes(), saved(pdf(&["0 0 9 9 re f"], &[]))] {
        let error = read(&bytes).await.expect_err("no text");
        assert!(matches!(error, ParseError::OnlyPictures), "{error:?}");
    }
}

#[tokio::test]
async fn letters_that_are_drawn_as_curves_are_told() {
    let curves = "10 20 m 30 40 50 60 70 80 c f ".repeat(500);
    let document = read(&saved(pdf(&["BT /F1 12 Tf 50 700 Td (Sound.) Tj ET", &curves], &[]))).await.expect("readable");
    let told: Vec<_> = document.losses.iter().map(|loss| (loss.page, loss.kind)).collect();
    assert_eq!(told, [(Some(2), LossKind::LittleText)], "{:?}", document.losses);
}

#[tokio::test]
async fn attached_files_are_told() {
    let raw = Raw::new("BT /F1 12 Tf 50 700 Td (Sound.) Tj ET", HELVETICA)
        .with("<</Type/Filespec/F(plan.xlsx)/UF(plan.xlsx)/EF<</F 7 0 R>>>>")
        .with(stream("/Type/EmbeddedFile", "x"))
        .entries(1, "/Names<</EmbeddedFiles<</Names[(plan.xlsx) 6 0 R]>>>>");
    let document = read(&raw.bytes()).await.expect("readable");
    let cause = "attached files are not read: plan.xlsx".to_owned();
    assert_eq!(document.losses, [Loss { page: None, kind: LossKind::Stream, cause }]);
}

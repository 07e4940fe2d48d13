//! Words stand apart, and divided ones are one again.

use super::made::{pdf, saved};
use super::raw::{HELVETICA, Raw};
use super::{read, text};

fn page(content: &str) -> Vec<u8> {
    saved(pdf(&[content], &[]))
}

#[tokio::test]
async fn the_pages_are_kept_apart() {
    let pages = ["BT /F1 12 Tf 50 700 Td (First page.) Tj ET", "BT /F1 12 Tf 50 700 Td (Second page.) Tj ET"];
    let document = read(&saved(pdf(&pages, &[]))).await.expect("readable");
    assert_eq!(document.text, "First page.\n\nSecond page.");
    assert_eq!((document.page_at(0), document.page_at(14)), (Some(1), Some(2)));
}

#[tokio::test]
async fn turned_lines_are_read_along_their_baseline() {
    let lines = "(The pump is serviced) Tj 0 -14 Td (every six months) Tj";
    for (turn, matrix) in
        [(0, "1 0 0 1 100 400"), (90, "0 1 -1 0 300 100"), (180, "-1 0 0 -1 400 400"), (270, "0 -1 1 0 300 500")]
    {
        let content = format!("BT /F1 12 Tf {matrix} Tm {lines} ET");
        assert_eq!(text(&page(&content)).await, "The pump is serviced every six months", "turned by {turn}");
    }
}

#[tokio::test]
async fn words_that_kerning_sets_apart_are_apart_on_turned_pages_too() {
    for matrix in ["1 0 0 1 100 400", "0 1 -1 0 300 100", "-1 0 0 -1 400 400", "0 -1 1 0 300 500"] {
        let content =
            format!("BT /F1 12 Tf {matrix} Tm [(The)-333(lscape)-333(pack)20(age)-333(rotates)-333(pages)] TJ ET");
        assert_eq!(text(&page(&content)).await, "The lscape package rotates pages", "{matrix}");
    }
}

#[tokio::test]
async fn a_page_that_is_shown_turned_is_read_as_it_is_shown() {
    for turn in [90, 180, 270, -90] {
        let content = "BT /F1 12 Tf 0 1 -1 0 300 100 Tm (Wide table of parts) Tj ET";
        let raw = Raw::new(content, HELVETICA).entries(3, &format!("/Rotate {turn}"));
        assert_eq!(text(&raw.bytes()).await, "Wide table of parts", "{turn}");
    }
}

#[tokio::test]
async fn narrow_spaces_of_a_justified_line_are_spaces() {
    for gap in [-120, -140, -160, -250] {
        let content = format!("BT /F1 10 Tf 50 700 Td [(set){gap}(the){gap}(shell){gap}(option)] TJ ET");
        assert_eq!(text(&page(&content)).await, "set the shell option", "{gap}");
    }
}

#[tokio::test]
async fn kerned_letters_are_one_word() {
    let content = "BT /F1 10 Tf 50 700 Td [(A)80(V)-60(A)70(T)-90(AR)] TJ ET";
    assert_eq!(text(&page(content)).await, "AVATAR");
}

#[tokio::test]
async fn words_placed_one_by_one_are_apart() {
    let content = "BT /F1 10 Tf 50 700 Td (one) Tj 20 0 Td (two) Tj 1 0 0 1 90 700 Tm (three) Tj ET";
    assert_eq!(text(&page(content)).await, "one two three");
}

#[tokio::test]
async fn the_operators_that_begin_a_line_are_read() {
    let content = "BT /F1 12 Tf 14 TL 50 700 Td (First line of the paragraph) Tj (second line must not be lost) ' \
                   (third line neither) ' 0 0 (fourth by double quote) \" T* (fifth) Tj ET";
    let expected =
        "First line of the paragraph second line must not be lost third line neither fourth by double quote fifth";
    assert_eq!(text(&page(content)).await, expected);
}

#[tokio::test]
async fn a_word_divided_at_the_end_of_a_line_is_one() {
    let content = "BT /F1 12 Tf 14 TL 50 700 Td (The con\\255) Tj (figuration of the pump-) ' (house is a well-known one, a well-) ' \
                   (known one) ' ET";
    let expected = "The configuration of the pumphouse is a well-known one, a well-known one";
    assert_eq!(text(&page(content)).await, expected);
}

#[tokio::test]
async fn text_in_a_font_that_is_missing_or_has_no_name_is_read() {
    assert_eq!(text(&page("BT /None 12 Tf 50 700 Td (Text.) Tj ET")).await, "Text.");
    for font in ["<</Type/Font/Subtype/Type1>>", "<</Type/Font/Subtype/TrueType/Encoding/WinAnsiEncoding>>", "<<>>"] {
        let bytes = Raw::new("BT /F1 12 Tf 50 700 Td (Font without a name) Tj ET", font).bytes();
        assert_eq!(text(&bytes).await, "Font without a name", "{font}");
    }
}

#[tokio::test]
async fn forms_that_only_know_each_other_are_drawn() {
    let content = "BT /F1 12 Tf 50 700 Td (In a form.) Tj ET";
    let bytes = saved(pdf(&["/A Do"], &[("A", "/B Do"), ("B", content)]));
    assert_eq!(text(&bytes).await, "In a form.");
}

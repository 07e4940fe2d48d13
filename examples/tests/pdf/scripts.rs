//! Other scripts than Latin: the order of right-to-left text, and predefined encodings.

use ragtrace_examples::document::LossKind;

use super::raw::{Raw, shown};
use super::{read, text};

/// Returns right-to-left text as it is shown, from left to right: words and numbers in ASCII keep
/// their order.
fn visual(spoken: &str) -> String {
    let reversed: Vec<char> = spoken.chars().rev().collect();
    let is_turned = |character: &char| character.is_ascii_alphanumeric() || *character == '-';
    let runs = reversed.chunk_by(|one, other| is_turned(one) && is_turned(other));
    runs.flat_map(|run| run.iter().rev()).collect()
}

#[tokio::test]
async fn text_in_visual_order_is_read_in_the_order_it_is_spoken() {
    for spoken in ["המשאבה מתוחזקת", "המים קרים.", "المضخة تعمل كل يوم", "پمپ هر شش ماه سرویس می شود"]
    {
        assert_eq!(text(&shown(&visual(spoken))).await, spoken);
    }
}

#[tokio::test]
async fn numbers_and_latin_words_in_right_to_left_text_keep_their_order() {
    for spoken in
        ["המשאבה 450 הגבוהה", "המערכת של Linux המשאבה", "חיזוק של pump-7, שנת 2026", "المضخة 450 في Linux القديم"]
    {
        assert_eq!(text(&shown(&visual(spoken))).await, spoken);
    }
}

#[tokio::test]
async fn a_hebrew_word_in_an_english_line_is_turned_alone() {
    assert_eq!(text(&shown("The word הבאשמ means pump.")).await, "The word משאבה means pump.");
}

#[tokio::test]
async fn a_map_of_characters_with_spaces_in_its_name_is_read() {
    let map = "/CIDInit /ProcSet findresource begin 12 dict begin begincmap \
               /CMapName /-Users-someone-Library-Fonts-My Font.ttf,000-UTF16 def /CMapType 2 def \
               1 begincodespacerange <0000> <FFFF> endcodespacerange \
               2 beginbfchar <0001> <0050> <0002> <0075> endbfchar 1 beginbfrange <0003> <0004> <006D> endbfrange endcmap end end";
    let font = "<</Type/Font/Subtype/Type0/BaseFont/Foo/Encoding/Identity-H/DescendantFonts[6 0 R]/ToUnicode 7 0 R>>";
    let descendant = "<</Type/Font/Subtype/CIDFontType2/BaseFont/Foo/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>>>";
    let raw = Raw::new("BT /F1 12 Tf 72 700 Td <0001000200030004> Tj ET", font);
    let bytes = raw.with(descendant).with(super::raw::stream("", map)).bytes();
    assert_eq!(text(&bytes).await, "Pumn");
}

/// Returns a PDF that shows a string of codes in a predefined encoding of a collection of
/// characters.
fn predefined(encoding: &str, ordering: &str, codes: &str) -> Vec<u8> {
    let font = format!("<</Type/Font/Subtype/Type0/BaseFont/Made/Encoding/{encoding}/DescendantFonts[6 0 R]>>");
    let descendant = format!(
        "<</Type/Font/Subtype/CIDFontType0/BaseFont/Made/CIDSystemInfo<</Registry(Adobe)/Ordering({ordering})/Supplement 2>>>>"
    );
    Raw::new(&format!("BT /F1 12 Tf 72 700 Td <{codes}> Tj ET"), &font).with(descendant).bytes()
}

#[tokio::test]
async fn predefined_encodings_of_chinese_japanese_and_korean_are_read() {
    for (encoding, ordering, codes, expected) in [
        ("UniGB-UCS2-H", "GB1", "6C347BB1", "水箱"),
        ("UniJIS-UTF16-H", "Japan1", "6C347BB1", "水箱"),
        ("90ms-RKSJ-H", "Japan1", "9085 94A0", "水箱"),
        ("EUC-H", "Japan1", "BFE5", "水"),
        ("GBK-EUC-H", "GB1", "CBAEC4A7", "水魔"),
        ("ETen-B5-H", "CNS1", "A4F4", "水"),
        ("UniKS-UCS2-H", "Korea1", "D55CAD6D", "한국"),
        ("KSCms-UHC-H", "Korea1", "C7D1B1B9", "한국"),
    ] {
        assert_eq!(text(&predefined(encoding, ordering, codes)).await, expected, "{encoding}");
    }
}

#[tokio::test]
async fn an_encoding_that_nobody_knows_is_told() {
    let content = "BT /F1 12 Tf 72 700 Td <6C34> Tj ET BT /F2 12 Tf 72 600 Td (Sound.) Tj ET";
    let font = "<</Type/Font/Subtype/Type0/BaseFont/Made/Encoding/Nonesuch-H/DescendantFonts[6 0 R]>>";
    let descendant = "<</Type/Font/Subtype/CIDFontType0/BaseFont/Made/CIDSystemInfo<</Registry(Adobe)/Ordering(None)/Supplement 0>>>>";
    let document = read(&Raw::new(content, font).with(descendant).bytes()).await.expect("readable");
    assert!(document.text.contains("Sound."), "{}", document.text);
    let told: Vec<_> = document.losses.iter().map(|loss| (loss.page, loss.kind)).collect();
    assert_eq!(told, [(Some(1), LossKind::Font), (Some(1), LossKind::Font)], "{:?}", document.losses);
}

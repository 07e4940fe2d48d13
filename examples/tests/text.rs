//! Plain text to documents: paragraphs, and everything whose lines mean something.

#[path = "support/reading.rs"]
#[expect(dead_code, reason = "not every test needs every helper")]
mod reading;

use proptest::prelude::*;
use ragtrace_examples::chunk::{Chunking, Unit, chunk};
use ragtrace_examples::normalize::normalize;
use reading::{block_on, losses, read, titles};

const CODE: &str = "def f(x):\n    if x:\n        return 1\n    return 2\n\nclass A:\n    def g(self):\n        pass\n";
const TABLE: &str = "Model      Volume   Service\nP-100      40 l     6 months\nP-200      80 l     12 months\n";

#[tokio::test]
async fn lines_of_a_paragraph_are_joined() {
    let text = "A para-\ngraph in\nthree lines.\n\n- an item\n  that goes on\n- another\n\nThe end.\r\n";
    let document = read("a.txt", text).await;
    assert_eq!(document.text, "A paragraph in three lines.\n\n- an item that goes on\n- another\n\nThe end.");
}

#[tokio::test]
async fn code_keeps_its_lines_and_indents() {
    let document = read("code.txt", CODE.repeat(3)).await;
    assert_eq!(document.text, CODE.repeat(3).trim_end());
    for code in [
        "Run these:\n\n    $ make\n    $ make install\n",
        "{\n  \"model\": \"P-100\",\n  \"volume\": 40\n}",
        "#include <stdio.h>\n\nint main(void)\n{\n\tputs(\"hi\");\n\n\treturn 0;\n}",
        "[section]\nkey = value\nother = 1",
    ] {
        assert_eq!(read("code.text", code).await.text, code.trim_end());
    }
}

#[tokio::test]
async fn rows_of_a_table_stay_apart() {
    for table in [
        TABLE,
        "a\tb\nc\td",
        "+-----+-----+\n| a   | b   |\n+-----+-----+",
        "  -v, --verbose   say more\n  -q              say less",
    ] {
        assert_eq!(read("table.txt", table).await.text, table.trim_end());
    }
}

#[tokio::test]
async fn lists_keep_their_marks_and_levels() {
    let list = "Steps:\n\n1. Open the valve\n   by hand.\n2. Start:\n   - the pump\n   - the fan\n3. Wait.\n\n* [x] done\n* [ ] open\n";
    let expected = "Steps:\n\n1. Open the valve by hand.\n2. Start:\n   - the pump\n   - the fan\n3. Wait.\n\n* [x] done\n* [ ] open";
    assert_eq!(read("list.txt", list).await.text, expected);
}

#[tokio::test]
async fn verses_and_addresses_keep_their_lines() {
    for lines in
        ["Roses are red,\nviolets are, as everybody knows,\nblue.", "Larkfield Ltd.\n12 High Street, Upper Village\nUK"]
    {
        assert_eq!(read("lines.txt", lines).await.text, lines);
    }
}

#[tokio::test]
async fn compounds_keep_their_hyphens_and_broken_words_do_not() {
    let compounds =
        "This is a well-\nknown state-of-the-\nart long-\nterm re-\nentry co-\noperation multi-\nline X-\nray.\n";
    let expected = "This is a well-known state-of-the-art long-term re-entry co-operation multi-line X-ray.";
    assert_eq!(read("hyphen.txt", compounds).await.text, expected);
    let broken = "The configuration of the station is a file, and every configu-\nration is read at the start of the station again.";
    assert!(read("broken.txt", broken).await.text.contains("every configuration is read"));
}

#[tokio::test]
async fn line_ends_of_all_kinds_are_read() {
    for end in ["\n", "\r\n", "\r", "\u{85}", "\u{2028}"] {
        let text = ["First paragraph.", "", "- one", "- two", "", "Last."].join(end);
        assert_eq!(read("a.txt", text).await.text, "First paragraph.\n\n- one\n- two\n\nLast.", "{end:?}");
    }
}

#[tokio::test]
async fn what_is_invisible_is_left_out_and_what_is_compatible_is_unified() {
    let cases = [
        ("The con\u{fb01}guration \u{fb01}le.", "The configuration file."),
        ("Cafe\u{301}, ＰＵＭＰ, 40\u{a0}l", "Café, PUMP, 40 l"),
        ("The ser\u{ad}vice of the pu\u{200b}mp\u{feff}.", "The service of the pump."),
        ("N\u{8}NA\u{8}AM\u{8}ME\u{8}E\n\n_\u{8}f_\u{8}i_\u{8}l_\u{8}e", "NAME\n\nfile"),
        ("می\u{200c}خواهم 👩\u{200d}👧", "می\u{200c}خواهم 👩\u{200d}👧"),
        ("\u{1b}[1mBold\u{1b}[0m and \u{202e}not reversed\u{202c}.", "Bold and not reversed."),
    ];
    for (text, expected) in cases {
        assert_eq!(read("a.txt", text).await.text, expected);
    }
    assert_eq!(read("z.txt", format!("{}Text.", "\u{200b}\u{200c}\u{200d}\u{feff}".repeat(500))).await.text, "Text.");
}

#[tokio::test]
async fn a_form_feed_ends_a_page() {
    let document = read("rfc.txt", "First page.\n\u{c}\nSecond page.\n\u{c}\nThird page.\n\u{c}").await;
    assert_eq!((document.pages(), document.text.as_str()), (3, "First page.\n\nSecond page.\n\nThird page."));
    assert_eq!(document.page_at(document.text.find("Second").expect("a page")), Some(2));
}

#[tokio::test]
async fn underlined_lines_are_headings() {
    let document = read("readme.txt", "Pump\n====\n\nIntro.\n\nCare\n----\nWipe it.\n").await;
    assert_eq!(titles(&document), [(1, "Pump"), (2, "Care")]);
    assert_eq!(document.text, "Pump\n\nIntro.\n\nCare\n\nWipe it.");
}

#[tokio::test]
async fn nul_characters_are_left_out_and_told() {
    let text = format!("{}\0{}", "The pump is serviced. ".repeat(100), "The valve is blue. ".repeat(100));
    let document = read("nul.txt", &text).await;
    assert_eq!(document.text, text.replace('\0', "").trim_end());
    assert_eq!(losses(&document), [ragtrace_examples::document::LossKind::Bytes]);
    assert_eq!(document.losses[0].to_string(), "1 NUL character was left out, the first at byte 2200 of the text");
    assert_eq!(read("short.txt", b"text \0 and a zero").await.text, "text  and a zero");
    assert_eq!(read("padded.txt", [&b"A block."[..], &[0; 4_000]].concat()).await.text, "A block.");
}

#[tokio::test]
async fn separated_values_are_rows() {
    let cases = [
        (
            "a.csv",
            "Model,Volume,Note\nP-100,,ok\n,80 l,\n\"P-300\",\"120, or 130 l\",\n",
            "Model | Volume | Note\nP-100 |  | ok\n | 80 l |\nP-300 | 120, or 130 l |",
        ),
        ("b.tsv", "a\tb\n1\t2\n", "a | b\n1 | 2"),
        ("c.csv", "Preis;Liter\n4,50;10\n", "Preis | Liter\n4,50 | 10"),
    ];
    for (name, text, expected) in cases {
        assert_eq!(read(name, text).await.text, expected);
    }
}

#[tokio::test]
async fn a_page_of_restructured_text_is_read() {
    let text = "====\nPump\n====\n\nUse ``start`` as in `the guide <http://a.b>`_::\n\n  $ start\n\nCare\n====\n\n.. warning::\n\n   Never open it.\n";
    let document = read("a.rst", text).await;
    assert_eq!(titles(&document), [(1, "Pump"), (2, "Care")]);
    assert_eq!(document.text, "Pump\n\nUse start as in the guide:\n\n  $ start\n\nCare\n\nWarning: Never open it.");
}

#[tokio::test]
async fn a_chunk_of_code_keeps_its_lines() {
    let document = read("code.txt", CODE).await;
    let chunks = chunk(&document, &Chunking::new(Unit::Chars, 80, 0).expect("valid"));
    for chunk in &chunks {
        assert!(document.text.lines().any(|line| chunk.text.starts_with(line)), "{:?}", chunk.text);
        assert!(document.text.lines().any(|line| chunk.text.ends_with(line)), "{:?}", chunk.text);
    }
    assert!(chunks[0].text.starts_with("def f(x):\n    if x:\n        return 1"));
}

#[tokio::test]
async fn a_large_text_is_read_to_its_end() {
    let text = "The pump is serviced every six months, and the valve is opened by\nhand once a week, by somebody who has read the manual.\n\n".repeat(20_000);
    let document = read("large.txt", &text).await;
    assert_eq!(document.text.matches("opened by hand").count(), 20_000);
}

/// Words, marks and invisible characters that normalization looks at.
const PARTS: &str = "[a-z1-9 .\n\u{8}\u{1b}\u{ad}\u{200b}-\u{200f}\u{202e}\u{2044}\u{2010}\u{301}\u{b2}\u{bd}\u{b4}\u{fb01}Ａ①…می\u{94d}क👩🏴\u{fe0f}\u{e0067}\u{e007f}\u{2028}\0]{0,40}";

proptest! {
    #[test]
    fn what_is_normalized_does_not_change_again(text in PARTS) {
        let once = normalize(&text).into_owned();
        prop_assert_eq!(normalize(&once), once.as_str());
        let has_controls = once.contains(|character: char| character.is_control() && !matches!(character, '\n' | '\t'));
        prop_assert!(!has_controls, "{:?}", once);
        let is_seen = !once.contains(['\u{ad}', '\u{200b}', '\u{202e}', '\u{feff}']);
        prop_assert!(is_seen, "{:?}", once);
    }

    #[test]
    fn no_word_of_a_text_is_lost(lines in proptest::collection::vec("( {0,8}|- |[0-9]\\. )([a-zäб漢]{1,9}[ ,.:;]{1,3}){0,9}", 0..30)) {
        let text = lines.join("\n");
        let words = |text: &str| text.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect::<Vec<_>>();
        prop_assume!(!words(&text).is_empty());
        let document = block_on(read("a.txt", &text));
        // Chinese lines are joined without a space.
        let joined = |words: Vec<String>| words.concat();
        prop_assert_eq!(joined(words(&document.text)), joined(words(&text)));
    }
}

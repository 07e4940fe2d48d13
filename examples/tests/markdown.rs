//! Markdown to documents.

#[path = "support/reading.rs"]
#[expect(dead_code, reason = "not every test needs every helper")]
mod reading;

use ragtrace_examples::document::LossKind;
use reading::{fact, losses, read, titles};

async fn text(markdown: &str) -> String {
    read("a.md", markdown).await.text
}

#[tokio::test]
async fn headings_lists_and_tables_are_kept() {
    let markdown = "---\ntitle: The guide\n---\n# Guide\n\nA *first*\nline with `code`.\n\n- one\n- two\n\n\
                    ## Parts\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n<p>From <b>HTML</b></p>\n";
    let document = read("a.md", markdown).await;
    let expected = "Guide\n\nA first line with code.\n\n- one\n- two\n\nParts\n\na | b\n1 | 2\n\nFrom HTML";
    assert_eq!(document.text, expected);
    assert_eq!(titles(&document), [(1, "Guide"), (2, "Parts")]);
    assert_eq!(fact(&document, "title"), Some("The guide"));
}

#[tokio::test]
async fn a_rule_in_the_middle_drops_nothing() {
    let section = "# Guide\n\nIntro text.\n\n---\n## Safety\n\nNever open the valve while the pump is running.\n\n---\n## Care\n\nClean weekly.\n";
    let document = read("a.md", section).await;
    assert_eq!(
        document.text,
        "Guide\n\nIntro text.\n\nSafety\n\nNever open the valve while the pump is running.\n\nCare\n\nClean weekly."
    );
    assert_eq!(titles(&document), [(1, "Guide"), (2, "Safety"), (2, "Care")]);
    let answer = "Sure, here is the summary.\n\n---\n**Pump**: serviced every six months.\n\nThe valve is blue.\n\n---\n**Valve**: opened by hand.\n";
    let expected = "Sure, here is the summary.\n\nPump: serviced every six months.\n\nThe valve is blue.\n\nValve: opened by hand.";
    assert_eq!(text(answer).await, expected);
    for rule in ["---", "+++", "***", "- - -"] {
        for at_start in ["", "\n", "Text.\n\n"] {
            let found = text(&format!("{at_start}{rule}\n**Pump**: blue\n\nMore.\n\n{rule}\nThe end.")).await;
            assert!(
                ["Pump", "blue", "More.", "The end."].iter().all(|part| found.contains(part)),
                "{rule} {at_start:?}: {found}"
            );
        }
    }
}

#[tokio::test]
async fn front_matter_is_metadata() {
    let yaml = "\u{feff}---\ntitle: Pump Manual\nauthor: Ann\ntags: [water, oil]\n---\n\n# Care\n\nClean weekly.";
    let document = read("a.md", yaml).await;
    assert_eq!(document.text, "Care\n\nClean weekly.");
    assert_eq!(
        (fact(&document, "title"), fact(&document, "author"), fact(&document, "tags")),
        (Some("Pump Manual"), Some("Ann"), Some("water, oil"))
    );
    let toml = "+++\r\ntitle = \"Pump Manual\"\r\ndate = 2026-01-02\r\n+++\r\nClean weekly.";
    let document = read("a.md", toml).await;
    assert_eq!((document.text.as_str(), fact(&document, "date")), ("Clean weekly.", Some("2026-01-02")));
}

#[tokio::test]
async fn a_document_of_front_matter_alone_is_its_metadata() {
    let document = read("a.md", "---\ntitle: Pump Manual\nabstract: Long text about pumps.\n---\n").await;
    assert_eq!(document.text, "Pump Manual\n\nabstract: Long text about pumps.");
    assert_eq!(fact(&document, "abstract"), Some("Long text about pumps."));
}

#[tokio::test]
async fn front_matter_that_is_broken_is_told() {
    let document = read("a.md", "---\ntitle: Pumps: a guide\n---\nText.").await;
    assert_eq!((document.text.as_str(), fact(&document, "title")), ("Text.", Some("Pumps: a guide")));
    assert_eq!(losses(&document), [LossKind::Metadata]);
}

#[tokio::test]
async fn line_breaks_separate_words() {
    let markdown = "line one<br>line two<br/>line three\\\nline four  \nline five\n\n| a | b |\n|---|---|\n| 40 l<br>80 l | x<br/>y |\n\n# A<br>B";
    let expected = "line one\nline two\nline three\nline four\nline five\n\na | b\n40 l 80 l | x y\n\nA B";
    assert_eq!(text(markdown).await, expected);
}

#[tokio::test]
async fn inline_html_shows_its_words() {
    let markdown = "H<sub>2</sub>O and 10<sup>6</sup>. A <span>span</span>.\nWord<wbr>break. one<br />two. \
                    <img src=\"x.png\" alt=\"diagram of pump\"> end. <a href=\"u\">link</a> <!-- a comment -->";
    assert_eq!(text(markdown).await, "H2O and 106. A span. Wordbreak. one\ntwo. diagram of pump end. link");
}

#[tokio::test]
async fn blocks_of_html_are_read_as_a_page_is() {
    let markdown = "<h1 align=\"center\">Pump</h1>\n\n<div align=\"center\">\n\n## Care\n\nClean *weekly*.\n\n</div>\n\n\
                    <details>\n<summary>More</summary>\n\nHidden **text**.\n\n</details>\n\n<table>\n<tr><td>a</td>\n\n<td>b</td></tr>\n</table>\n";
    let document = read("a.md", markdown).await;
    assert_eq!(document.text, "Pump\n\nCare\n\nClean weekly.\n\nMore\n\nHidden text.\n\na | b");
    assert_eq!(titles(&document), [(1, "Pump"), (2, "Care")]);
}

#[tokio::test]
async fn lists_keep_their_marks_and_levels() {
    let markdown = "- [x] done thing\n- [ ] open thing\n  - below\n\n    more of it\n\n3. three\n4. four\n   ```\n   code\n     here\n   ```\n";
    let expected =
        "- [x] done thing\n- [ ] open thing\n  - below\n    more of it\n\n3. three\n4. four\n  code\n    here";
    assert_eq!(text(markdown).await, expected);
}

#[tokio::test]
async fn code_keeps_its_lines() {
    let markdown = "Run:\n\n```python\ndef f(x):\n    if x:\n\n        return 1\n```\n\n    indented\n      code\n";
    assert_eq!(text(markdown).await, "Run:\n\ndef f(x):\n    if x:\n\n        return 1\n\nindented\n  code");
}

#[tokio::test]
async fn empty_cells_keep_their_columns() {
    let markdown = "| Model | Volume | Note |\n|---|---|---|\n| P-100 | | ok |\n| | 80 l | |\n| P-300 | 120 l | |\n";
    assert_eq!(text(markdown).await, "Model | Volume | Note\nP-100 |  | ok\n | 80 l |\nP-300 | 120 l |");
}

#[tokio::test]
async fn extensions_are_read() {
    let cases = [
        ("Setext\n======\n\nText ~~old~~ new.", "Setext\n\nText old new."),
        ("A note[^1] here.\n\n[^1]: Its text.", "A note[1] here.\n\n[1] Its text."),
        ("Valve\n: Opens by hand.", "Valve\n  Opens by hand."),
        ("It is $x^2$ and $$y$$, or $5.", "It is $x^2$ and $$y$$, or $5."),
        ("![a red *pump*](p.png) and [the guide][g].\n\n[g]: http://a.b", "a red pump and the guide."),
        ("<https://a.b/c> and [[Page|its text]]", "https://a.b/c and its text"),
        ("> [!WARNING]\n> Never open it.", "Warning: Never open it."),
        ("# Title {#anchor}\n\nText", "Title\n\nText"),
        ("&copy; &amp; &#x2014;", "© & —"),
        ("a well-\nknown 漢字の\n文", "a well-known 漢字の文"),
        ("con\u{fb01}guration \u{fb01}le", "configuration file"),
    ];
    for (markdown, expected) in cases {
        assert_eq!(text(markdown).await, expected, "{markdown}");
    }
}

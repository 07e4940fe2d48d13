//! Web pages to documents.

#[path = "support/reading.rs"]
#[expect(dead_code, reason = "not every test needs every helper")]
mod reading;

use ragtrace_examples::document::LossKind;
use reading::{fact, losses, read, titles};

async fn text(body: &str) -> String {
    read("a.html", format!("<!DOCTYPE html><html><head><title>Pump Manual</title></head><body>{body}</body></html>"))
        .await
        .text
}

#[tokio::test]
async fn what_is_shown_is_kept() {
    let page = "<html><head><title>Station</title><style>p {}</style></head><body><h1>Station <i>One</i></h1>\
                <p>It  stands\n on a <b>hill</b>.</p><script>alert(1)</script><ul><li>mast</li><li>vane</li></ul>\
                <table><tr><th>Part</th><th>Age</th></tr><tr><td>mast</td><td>3</td></tr></table><h2></h2></body>";
    let document = read("a.html", page).await;
    assert_eq!(document.text, "Station One\n\nIt stands on a hill.\n\n- mast\n- vane\n\nPart | Age\nmast | 3");
    assert_eq!(titles(&document), [(1, "Station One")]);
    assert_eq!(fact(&document, "title"), Some("Station"));
}

#[tokio::test]
async fn line_breaks_separate_words() {
    assert_eq!(
        text("<p>Line one<br>Line two<br/>Line three</p><p>a<br><br>b</p>").await,
        "Line one\nLine two\nLine three\n\na\nb"
    );
}

#[tokio::test]
async fn inline_elements_do_not_tear_a_sentence() {
    let cases = [
        (
            "<p>Run the <tt>stty</tt> command, then <font color=red>press</font> <big>the</big> <acronym>LED</acronym> <nobr>button 5</nobr> now.</p>",
            "Run the stty command, then press the LED button 5 now.",
        ),
        (
            "<p>Press the <img src=x alt=\"red stop\"> button to halt <button>OK</button> the pump.</p>",
            "Press the red stop button to halt OK the pump.",
        ),
        (
            "<p>Area <math><mi>A</mi><mo>=</mo><mi>π</mi><msup><mi>r</mi><mn>2</mn></msup></math> holds.</p>",
            "Area A=πr2 holds.",
        ),
        ("<p>The <my-word>pump</my-word> is <x-b>blue</x-b>.</p>", "The pump is blue."),
        ("<p>Word<wbr>break and ex<b>am</b>ple, H<sub>2</sub>O.</p>", "Wordbreak and example, H2O."),
        (
            "<p>The <ruby>漢字<rp>(</rp><rt>かんじ</rt><rp>)</rp></ruby> are <q>read</q>.</p>",
            "The 漢字(かんじ) are “read”.",
        ),
        (
            "<p>An <svg><title>no</title><text>drawn</text></svg> <output>1</output> <meter>2</meter></p>",
            "An drawn 1 2",
        ),
    ];
    for (body, expected) in cases {
        assert_eq!(text(body).await, expected, "{body}");
    }
}

#[tokio::test]
async fn blocks_are_apart() {
    for name in [
        "div",
        "section",
        "article",
        "address",
        "blockquote",
        "center",
        "figure",
        "form",
        "fieldset",
        "details",
        "main",
        "nav",
        "dl",
        "search",
        "hgroup",
    ] {
        assert_eq!(text(&format!("One<{name}>two</{name}>three")).await, "One\n\ntwo\n\nthree", "{name}");
    }
}

#[tokio::test]
async fn rows_of_tables_are_kept() {
    let table = "<table><caption>Volumes</caption><thead><tr><th>Model</th><th>Volume</th></tr></thead><tbody><tr><td>P-100</td><td>40 l</td></tr>\
                 <tr><td>P-200</td><td></td></tr><tr><td></td><td>90 l</td></tr><tr><td rowspan=2>P-300</td><td>1</td></tr><tr><td>2</td></tr>\
                 <tr><td colspan=2><p>both</p><p>of <br>them</p></td></tr></tbody></table>";
    let expected = "Volumes\n\nModel | Volume\nP-100 | 40 l\nP-200 |\n | 90 l\nP-300 | 1\nP-300 | 2\nboth of them |";
    assert_eq!(text(table).await, expected);
}

#[tokio::test]
async fn a_table_that_arranges_the_page_is_no_table() {
    let page = "<table><tr><td><h2>Menu</h2><p>One</p></td><td><h1>Pump</h1><p>Text.</p><p>More.</p>\
                <table><tr><td>a</td><td>b</td></tr></table></td></tr></table>";
    let document = read("a.html", page).await;
    assert_eq!(document.text, "Menu\n\nOne\n\nPump\n\nText.\n\nMore.\n\na | b");
    assert_eq!(titles(&document), [(2, "Menu"), (1, "Pump")]);
}

#[tokio::test]
async fn headings_are_kept_whatever_they_contain_and_are_in() {
    let body = "<h1><p>Para in heading</p></h1><p>Body</p><h2><div>Div in<br>heading</div></h2><a href=x><header><h3>Linked</h3></header></a><p>Body2</p>";
    let document = read("a.html", body).await;
    assert_eq!(titles(&document), [(1, "Para in heading"), (2, "Div in heading"), (3, "Linked")]);
    assert_eq!(document.text, "Para in heading\n\nBody\n\nDiv in heading\n\nLinked\n\nBody2");
}

#[tokio::test]
async fn facts_of_the_head_are_metadata() {
    let page = "<head><title>Pump\n Manual</title><meta name=description content=\"All about pumps.\"><meta name=author content=Ann>\
                <meta property=article:published_time content=2026-01-02></head><body><p>Text.</p>";
    let document = read("a.html", page).await;
    assert_eq!(document.text, "Text.");
    let facts = ["title", "description", "author", "date"].map(|name| fact(&document, name).unwrap_or_default());
    assert_eq!(facts, ["Pump Manual", "All about pumps.", "Ann", "2026-01-02"]);
    let document = read(
        "b.html",
        "<!DOCTYPE html><html><head><meta charset=utf-8><title>Pump Manual</title></head><body></body></html>",
    )
    .await;
    assert_eq!((document.text.as_str(), titles(&document)), ("Pump Manual", vec![(1, "Pump Manual")]));
}

#[tokio::test]
async fn what_is_hidden_is_not_shown_and_what_is_only_silent_is() {
    let body = "<p>Visible.</p><p hidden>Hidden attr.</p><div style=\"color: red; DISPLAY : none !important\">Display none.</div>\
                <div aria-hidden=true>Aria hidden.</div><noscript>Noscript text.</noscript><template>Template.</template>\
                <dialog>Dialog closed</dialog><dialog open>Dialog open</dialog><b hidden>bold</b><p style=\"visibility:hidden\">x</p>\
                <p hidden=until-found>Found.</p><iframe>frame</iframe><script>s</script><details><summary>More</summary>Details.</details>";
    assert_eq!(text(body).await, "Visible.\n\nAria hidden.\n\nDialog open\n\nFound.\n\nMore\n\nDetails.");
}

#[tokio::test]
async fn forms_show_their_values() {
    let body = "<form><label>Name <input value=\"Alice\"></label><select><option>Red<option selected>Blue</select>\
                <textarea>Long note here</textarea><input type=hidden value=no><input type=password value=no><input placeholder=\"A hint\"><input type=submit value=Send></form>";
    assert_eq!(text(body).await, "Name Alice Red Blue Long note here A hint Send");
}

#[tokio::test]
async fn lists_keep_their_marks_and_levels() {
    let body = "<ul><li>one<ul><li>below</li></ul></li><li><p>two</p><p>more</p></li></ul><ol start=3><li>three<li value=7>seven<li>eight</ol>\
                <dl><dt>Valve<dd>Opens by hand.</dl>";
    let expected = "- one\n  - below\n- two\n  more\n\n3. three\n7. seven\n8. eight\n\nValve\n  Opens by hand.";
    assert_eq!(text(body).await, expected);
}

#[tokio::test]
async fn verbatim_text_keeps_its_lines() {
    let body = "<p>Run:</p><pre><code>def f(x):\n    if x:\n\n        return <b>1</b>\n</code></pre>";
    assert_eq!(text(body).await, "Run:\n\ndef f(x):\n    if x:\n\n        return 1");
}

#[tokio::test]
async fn entities_and_invisible_characters_are_handled() {
    assert_eq!(
        text("<p>ser&shy;vice &amp; con&#xfb01;g, 40&nbsp;l&#8203;&hellip; &lt;b&gt;</p>").await,
        "service & config, 40 l... <b>"
    );
}

#[tokio::test]
async fn frames_are_told() {
    let page = "<html><head><title>x</title></head><frameset><frame src=a.html><frame src=b.html><noframes><body>No frames <b>text</b></body></noframes></frameset></html>";
    let document = read("a.html", page).await;
    assert_eq!(document.text, "No frames text");
    assert_eq!(losses(&document), [LossKind::Stream]);
    assert!(document.losses[0].cause.contains("a.html, b.html"), "{:?}", document.losses);
}

#[tokio::test]
async fn tags_of_xhtml_may_close_themselves() {
    let page = "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Strict//EN\" \"x\">\
                <html xmlns=\"http://www.w3.org/1999/xhtml\"><head><title/><script src=\"a\"/></head><body><p>After \u{e9}<a id=\"a\"/>.</p><p/><table><tr><td/><td>b</td></tr></table><![CDATA[<raw>]]></body></html>";
    let bytes: Vec<u8> = page.chars().map(|character| u8::try_from(character).expect("Latin-1")).collect();
    for name in ["a.html", "a.xhtml"] {
        assert_eq!(read(name, &bytes).await.text, "After é.\n\n | b\n\n<raw>", "{name}");
    }
}

#[tokio::test]
async fn a_page_nested_deeply_is_read() {
    let deep = [
        "<div>".repeat(100_000) + "deep",
        "<b>".repeat(50_000) + "deep",
        "<ul><li>".repeat(5_000) + "deep",
        "<table><tr><td>".repeat(5_000) + "deep",
        "<font size=1><p>".repeat(10_000) + "deep",
        "<span>".repeat(20_000) + "deep" + &"</span>".repeat(20_000),
        "<svg>".repeat(10_000) + "<text>deep",
        (0..10_000).map(|number| format!("<font color={number}>x<p>")).collect::<Vec<_>>().concat() + "deep",
    ];
    for page in deep {
        let document = read("deep.html", &page).await;
        assert!(
            document.text.ends_with("deep"),
            "{}: {}",
            &page[..20],
            &document.text[document.text.len().saturating_sub(60)..]
        );
    }
    let words =
        read("wide.html", "<div>one</div>".repeat(600) + &"<div>".repeat(600) + "<div>two</div><div>three</div>")
            .await
            .text;
    assert!(words.ends_with("two\nthree"), "{}", &words[words.len() - 40..]);
}

#[tokio::test]
async fn cells_that_span_everything_do_not_multiply() {
    let page = format!(
        "<table><tr>{}</tr>{}",
        "<td rowspan=65534 colspan=1000>some text in a cell</td>".repeat(500),
        "<tr><td>x</td></tr>".repeat(5_000)
    );
    let document = read("span.html", &page).await;
    assert!(document.text.len() < page.len() * 4, "{} of {}", document.text.len(), page.len());
}

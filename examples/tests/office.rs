//! Documents of office programs, and books.

#[path = "support/reading.rs"]
#[expect(dead_code, reason = "not every test needs every helper")]
mod reading;

use std::io::{Cursor, Write};

use ragtrace_examples::document::{Format, LossKind};
use ragtrace_examples::parse::ParseError;
use reading::{fact, losses, read, refused, titles};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// Returns an archive of parts.
fn archive(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in parts {
        writer.start_file(*name, SimpleFileOptions::default()).expect("a part");
        writer.write_all(content.as_bytes()).expect("memory");
    }
    writer.finish().expect("memory").into_inner()
}

const CORE: &str = "<cp:coreProperties xmlns:cp='c' xmlns:dc='d' xmlns:dcterms='t'><dc:title>Pump &amp; Valve</dc:title>\
                    <dc:creator>Ann</dc:creator><dcterms:created>2026-01-02T00:00:00Z</dcterms:created></cp:coreProperties>";

/// Returns a Word document of a body and further parts.
fn word(body: &str, more: &[(&str, &str)]) -> Vec<u8> {
    let document = format!(
        "<?xml version='1.0' encoding='UTF-8'?><w:document xmlns:w='w' xmlns:mc='m'><w:body>{body}</w:body></w:document>"
    );
    let kinds = ["styles", "numbering", "footnotes", "endnotes", "comments"];
    let relationships =
        kinds.map(|kind| format!("<Relationship Id='{kind}' Type='http://x/{kind}' Target='{kind}.xml'/>")).concat();
    let relationships = format!("<Relationships>{relationships}</Relationships>");
    let mut parts = vec![
        ("[Content_Types].xml", "<Types/>"),
        (
            "_rels/.rels",
            "<Relationships><Relationship Id='a' Type='http://x/officeDocument' Target='word/document.xml'/></Relationships>",
        ),
        ("docProps/core.xml", CORE),
        ("word/document.xml", &document),
        ("word/_rels/document.xml.rels", &relationships),
    ];
    parts.extend_from_slice(more);
    archive(&parts)
}

fn paragraph(text: &str) -> String {
    format!("<w:p><w:r><w:t>{text}</w:t></w:r></w:p>")
}

#[tokio::test]
async fn a_word_document_keeps_headings_lists_tables_and_notes() {
    let styles = "<w:styles><w:style w:styleId='berschrift1'><w:name w:val='heading 1'/></w:style>\
                  <w:style w:styleId='own'><w:name w:val='My own'/><w:basedOn w:val='two'/></w:style>\
                  <w:style w:styleId='two'><w:name w:val='heading 2'/></w:style></w:styles>";
    let numbering = "<w:numbering><w:abstractNum w:abstractNumId='7'><w:lvl w:ilvl='0'><w:numFmt w:val='decimal'/></w:lvl>\
                     <w:lvl w:ilvl='1'><w:numFmt w:val='bullet'/></w:lvl></w:abstractNum><w:num w:numId='1'><w:abstractNumId w:val='7'/></w:num></w:numbering>";
    let footnotes = "<w:footnotes><w:footnote w:type='separator' w:id='-1'><w:p/></w:footnote>\
                     <w:footnote w:id='2'><w:p><w:r><w:t>A note.</w:t></w:r></w:p></w:footnote></w:footnotes>";
    let comments = "<w:comments><w:comment w:id='0' w:author='Bob'><w:p><w:r><w:t>Check it.</w:t></w:r></w:p></w:comment></w:comments>";
    let item = |level: u8, text: &str| {
        format!(
            "<w:p><w:pPr><w:numPr><w:ilvl w:val='{level}'/><w:numId w:val='1'/></w:numPr></w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>"
        )
    };
    let body = [
        "<w:p><w:pPr><w:pStyle w:val='berschrift1'/></w:pPr><w:r><w:t>Pump</w:t></w:r></w:p>",
        "<w:p><w:r><w:t xml:space='preserve'>The </w:t></w:r><w:r><w:t>con\u{fb01}g &lt;file&gt;</w:t><w:br/><w:t>goes on</w:t><w:footnoteReference w:id='2'/></w:r>\
         <w:del><w:r><w:delText>gone</w:delText></w:r></w:del><w:r><w:rPr><w:vanish/></w:rPr><w:t>hidden</w:t></w:r><w:r><w:t>.</w:t></w:r></w:p>",
        "<w:p><w:pPr><w:pStyle w:val='own'/></w:pPr><w:r><w:t>Care</w:t></w:r></w:p>",
        &item(0, "one"),
        &item(1, "below"),
        &item(0, "two"),
        "<w:tbl><w:tr><w:tc><w:tcPr><w:vMerge w:val='restart'/></w:tcPr><w:p><w:r><w:t>P-100</w:t></w:r></w:p></w:tc><w:tc><w:p/></w:tc></w:tr>\
         <w:tr><w:tc><w:tcPr><w:vMerge/></w:tcPr><w:p/></w:tc><w:tc><w:p><w:r><w:t>40</w:t></w:r></w:p><w:p><w:r><w:t>l</w:t></w:r></w:p></w:tc></w:tr></w:tbl>",
        "<w:p><w:r><mc:AlternateContent><mc:Choice><w:txbxContent><w:p><w:r><w:t>In a box</w:t></w:r></w:p></w:txbxContent></mc:Choice>\
         <mc:Fallback><w:txbxContent><w:p><w:r><w:t>In a box</w:t></w:r></w:p></w:txbxContent></mc:Fallback></mc:AlternateContent></w:r></w:p>",
    ]
    .concat();
    let more = [
        ("word/styles.xml", styles),
        ("word/numbering.xml", numbering),
        ("word/footnotes.xml", footnotes),
        ("word/comments.xml", comments),
    ];
    let document = read("a.docx", word(&body, &more)).await;
    let expected = "Pump\n\nThe config <file>\ngoes on[1].\n\nCare\n\n1. one\n  - below\n2. two\n\nP-100 |\nP-100 | 40 l\n\nIn a box\n\n[1] A note.\n\nComment by Bob: Check it.";
    assert_eq!(document.text, expected);
    assert_eq!(titles(&document), [(1, "Pump"), (2, "Care")]);
    let facts = ["title", "author", "date"].map(|name| fact(&document, name).unwrap_or_default());
    assert_eq!(facts, ["Pump & Valve", "Ann", "2026-01-02T00:00:00Z"]);
    assert!(document.losses.is_empty(), "{:?}", document.losses);
}

#[tokio::test]
async fn the_content_is_looked_at_before_the_name() {
    let document = read("report.pdf", word(&paragraph("In Word."), &[])).await;
    assert_eq!((document.text.as_str(), document.format), ("In Word.", Format::Docx));
}

#[tokio::test]
async fn a_document_that_is_damaged_keeps_what_can_be_read() {
    let broken = archive(&[("word/document.xml", "<w:document><w:body><w:p><w:r><w:t>Kept.</w:t></w:r></w:p><w:p <<")]);
    let document = read("a.docx", broken).await;
    assert_eq!((document.text.as_str(), losses(&document)), ("Kept.", vec![LossKind::Stream]));
    let whole = word(&paragraph("Text."), &[]);
    for bytes in [&b"not an archive"[..], &whole[..whole.len() / 2], &archive(&[("word/styles.xml", "")])] {
        let error = refused("a.docx", bytes).await;
        assert!(matches!(error, ParseError::Broken(_)), "{error:?}");
    }
    let locked = [
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec(),
        "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect(),
    ]
    .concat();
    assert!(matches!(refused("a.docx", locked).await, ParseError::Encrypted));
}

#[tokio::test]
async fn every_byte_of_a_document_may_be_wrong() {
    let whole = word(&paragraph("Text."), &[]);
    for at in (0..whole.len()).step_by(5) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x15;
        if let Err(error) = reading::Folder::new().parse("a.docx", bytes).await {
            assert!(!matches!(error, ParseError::Panicked(_)), "{error:?}");
        }
    }
}

#[tokio::test]
async fn entities_that_a_document_declares_do_not_multiply() {
    let entities = "<!DOCTYPE a [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;'>]><w:document><w:p><w:r><w:t>x&b;&b;</w:t></w:r></w:p></w:document>";
    assert_eq!(read("a.docx", archive(&[("word/document.xml", entities)])).await.text, "x&b;&b;");
}

/// Returns a workbook of one sheet.
fn workbook(rows: &str) -> Vec<u8> {
    let sheet = format!(
        "<worksheet xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main'><sheetData>{rows}</sheetData></worksheet>"
    );
    archive(&[
        ("[Content_Types].xml", "<Types xmlns='http://schemas.openxmlformats.org/package/2006/content-types'/>"),
        (
            "_rels/.rels",
            "<Relationships xmlns='http://schemas.openxmlformats.org/package/2006/relationships'><Relationship Id='rId1' \
             Type='http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument' Target='xl/workbook.xml'/></Relationships>",
        ),
        ("docProps/core.xml", CORE),
        (
            "xl/workbook.xml",
            "<workbook xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main' xmlns:r='http://schemas.openxmlformats.org/officeDocument/2006/relationships'>\
             <sheets><sheet name='Volumes' sheetId='1' r:id='rId1'/></sheets></workbook>",
        ),
        (
            "xl/_rels/workbook.xml.rels",
            "<Relationships xmlns='http://schemas.openxmlformats.org/package/2006/relationships'><Relationship Id='rId1' \
             Type='http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet' Target='worksheets/sheet1.xml'/></Relationships>",
        ),
        ("xl/worksheets/sheet1.xml", &sheet),
    ])
}

#[tokio::test]
async fn a_workbook_is_its_sheets_row_by_row() {
    let text = |cell: &str, text: &str| format!("<c r='{cell}' t='inlineStr'><is><t>{text}</t></is></c>");
    let rows = [
        format!("<row r='1'>{}{}{}</row>", text("A1", "Model"), text("B1", "Volume"), text("C1", "Note")),
        format!("<row r='2'>{}<c r='B2'><v>40.5</v></c></row>", text("A2", "P-100")),
        format!("<row r='4'>{}<c r='D4' t='e'><v>#DIV/0!</v></c></row>", text("C4", "odd")),
    ];
    let document = read("a.xlsx", workbook(&rows.concat())).await;
    assert_eq!(document.text, "Volumes\n\nModel | Volume | Note\nP-100 | 40.5\n |  | odd | #DIV/0!");
    assert_eq!(titles(&document), [(1, "Volumes")]);
    assert_eq!(fact(&document, "title"), Some("Pump & Valve"));
    assert_eq!(losses(&document), [LossKind::Cells]);
    assert_eq!(document.losses[0].to_string(), "1 cell of the sheet Volumes have no value, the first D4: #DIV/0!");
}

#[tokio::test]
async fn a_sheet_of_two_far_cells_takes_no_more_than_these() {
    let cell = |cell: &str| format!("<c r='{cell}'><v>1</v></c>");
    let rows = format!("<row r='1'>{}</row><row r='1048576'>{}</row>", cell("A1"), cell("XFD1048576"));
    let document = read("a.xlsx", workbook(&rows)).await;
    assert!(document.text.len() < 1_000, "{}", document.text.len());
}

#[tokio::test]
async fn a_book_is_its_chapters_in_their_order() {
    let package = "<package><metadata xmlns:dc='d'><dc:title>The Pump</dc:title><dc:creator>Ann</dc:creator></metadata><manifest>\
                   <item id='b' href='b.xhtml' media-type='application/xhtml+xml'/><item id='a' href='text/a%201.xhtml' media-type='application/xhtml+xml'/>\
                   <item id='c' href='gone.xhtml' media-type='application/xhtml+xml'/></manifest><spine><itemref idref='a'/><itemref idref='b'/><itemref idref='c'/></spine></package>";
    let page = |title: &str| {
        format!(
            "<?xml version='1.0'?><html xmlns=\"http://www.w3.org/1999/xhtml\"><head><title/></head><body><h1><a id='x'/>{title}</h1><p>Text of {title}.</p></body></html>"
        )
    };
    let (first, second) = (page("One"), page("Two"));
    let book = archive(&[
        ("mimetype", "application/epub+zip"),
        (
            "META-INF/container.xml",
            "<container><rootfiles><rootfile full-path='OEBPS/book.opf'/></rootfiles></container>",
        ),
        ("OEBPS/book.opf", package),
        ("OEBPS/b.xhtml", &second),
        ("OEBPS/text/a 1.xhtml", &first),
    ]);
    let document = read("a.epub", book).await;
    assert_eq!(document.text, "One\n\nText of One.\n\nTwo\n\nText of Two.");
    assert_eq!(titles(&document), [(1, "One"), (1, "Two")]);
    assert_eq!((fact(&document, "title"), fact(&document, "author")), (Some("The Pump"), Some("Ann")));
    assert_eq!(document.losses[0].to_string(), "the part OEBPS/gone.xhtml could not be read: it is missing");
}

#[tokio::test]
async fn a_presentation_is_its_slides() {
    let shape = |kind: &str, text: &str| {
        format!("<p:sp><p:nvPr><p:ph type='{kind}'/></p:nvPr><p:txBody>{text}</p:txBody></p:sp>")
    };
    let line = |level: u8, text: &str| format!("<a:p><a:pPr lvl='{level}'/><a:r><a:t>{text}</a:t></a:r></a:p>");
    let table = "<p:graphicFrame><a:tbl><a:tr><a:tc><a:p><a:r><a:t>a</a:t></a:r></a:p></a:tc><a:tc><a:p><a:r><a:t>b</a:t></a:r></a:p></a:tc></a:tr></a:tbl></p:graphicFrame>";
    let slide = format!(
        "<p:sld>{}{}{}{table}</p:sld>",
        shape("title", &line(0, "Pump")),
        shape("body", &[line(0, "one"), line(1, "below")].concat()),
        shape("sldNum", &line(0, "7"))
    );
    let notes = format!("<p:notes>{}{}</p:notes>", shape("sldImg", ""), shape("body", &line(0, "Say it.")));
    let last = format!("<p:sld>{}</p:sld>", shape("body", &line(0, "The end.")));
    let presentation = archive(&[
        (
            "ppt/presentation.xml",
            "<p:presentation xmlns:r='r'><p:sldIdLst><p:sldId id='256' r:id='rId2'/><p:sldId id='257' r:id='rId1'/></p:sldIdLst></p:presentation>",
        ),
        (
            "ppt/_rels/presentation.xml.rels",
            "<Relationships><Relationship Id='rId1' Type='x/slide' Target='slides/slide2.xml'/><Relationship Id='rId2' Type='x/slide' Target='slides/slide1.xml'/></Relationships>",
        ),
        ("ppt/slides/slide1.xml", &slide),
        (
            "ppt/slides/_rels/slide1.xml.rels",
            "<Relationships><Relationship Id='a' Type='http://x/notesSlide' Target='../notesSlides/notes1.xml'/></Relationships>",
        ),
        ("ppt/notesSlides/notes1.xml", &notes),
        ("ppt/slides/slide2.xml", &last),
    ]);
    let document = read("a.pptx", presentation).await;
    assert_eq!(document.text, "Pump\n\none\n  below\n\na | b\n\nNotes: Say it.\n\nThe end.");
    assert_eq!((document.pages(), titles(&document)), (2, vec![(1, "Pump")]));
}

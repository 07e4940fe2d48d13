//! PDFs for tests, made by another library than the one that reads them.

use lopdf::encryption::{EncryptionState, EncryptionVersion, Permissions};
use lopdf::{Dictionary, Object, Stream, dictionary};

/// Returns a PDF with one page for each content stream. `forms` are its forms by name.
pub(crate) fn pdf(contents: &[&str], forms: &[(&str, &str)]) -> lopdf::Document {
    let mut pdf = lopdf::Document::with_version("1.5");
    let pages_id = pdf.new_object_id();
    let font = pdf.add_object(dictionary! {
        "Type" => "Font", "Subtype" => "Type1", "BaseFont" => "Helvetica", "Encoding" => "WinAnsiEncoding",
    });
    let resources_id = pdf.new_object_id();
    let mut named = Dictionary::new();
    for (name, content) in forms {
        let dictionary = dictionary! {
            "Type" => "XObject", "Subtype" => "Form", "BBox" => vec![0.into(), 0.into(), 9.into(), 9.into()],
            "Resources" => resources_id,
        };
        named.set(*name, pdf.add_object(Stream::new(dictionary, content.as_bytes().to_vec())));
    }
    let resources = dictionary! { "Font" => dictionary! { "F1" => font }, "XObject" => named };
    pdf.objects.insert(resources_id, Object::Dictionary(resources));
    let mut kids = Vec::new();
    for content in contents {
        let content = pdf.add_object(Stream::new(Dictionary::new(), content.as_bytes().to_vec()));
        kids.push(pdf.add_object(dictionary! { "Type" => "Page", "Parent" => pages_id, "Contents" => content }).into());
    }
    let count = i64::try_from(contents.len()).expect("few pages");
    let pages = dictionary! {
        "Type" => "Pages", "Count" => count, "Kids" => kids, "Resources" => resources_id,
        "MediaBox" => vec![0.into(), 0.into(), 595.into(), 842.into()],
    };
    pdf.objects.insert(pages_id, Object::Dictionary(pages));
    let catalog = pdf.add_object(dictionary! { "Type" => "Catalog", "Pages" => pages_id });
    pdf.trailer.set("Root", catalog);
    let id = Object::string_literal("an id of sixteen");
    pdf.trailer.set("ID", vec![id.clone(), id]);
    pdf
}

/// Returns the bytes of the PDF's file.
pub(crate) fn saved(mut pdf: lopdf::Document) -> Vec<u8> {
    let mut bytes = Vec::new();
    pdf.save_to(&mut bytes).expect("a PDF");
    bytes
}

/// Returns a PDF with one page of text that opens with `user_password`.
pub(crate) fn locked(user_password: &str) -> Vec<u8> {
    let mut pdf = pdf(&["BT /F1 12 Tf 50 700 Td (Locked text.) Tj ET"], &[]);
    let version = EncryptionVersion::V2 {
        document: &pdf,
        owner_password: "owner",
        user_password,
        key_length: 128,
        permissions: Permissions::PRINTABLE,
    };
    let state = EncryptionState::try_from(version).expect("a key");
    pdf.encrypt(&state).expect("encrypted");
    saved(pdf)
}

/// A page of text, and as many whose content nobody can decode.
pub(crate) fn with_undecodable_pages(count: usize) -> Vec<u8> {
    let text = "BT /F1 12 Tf 50 700 Td (Sound.) Tj ET";
    let mut file = pdf(&[&[text][..], &vec!["BT ET"; count]].concat(), &[]);
    for (number, page) in file.get_pages() {
        for content in file.get_page_contents(page).into_iter().filter(|_| number > 1) {
            let stream = file.get_object_mut(content).and_then(|object| object.as_stream_mut()).expect("a stream");
            stream.dict.set("Filter", "Nonesuch");
        }
    }
    saved(file)
}

/// A PDF that is written object by object, for what no library would write.
pub(crate) struct Raw {
    objects: Vec<String>,
}

impl Raw {
    /// Begins a PDF of one page with the content stream and the font `F1`, given as a dictionary.
    /// The objects added next get the numbers from 6 on.
    pub(crate) fn new(content: &str, font: &str) -> Self {
        let page = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>";
        let objects = ["<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>", page];
        let mut raw = Self { objects: objects.map(str::to_owned).to_vec() };
        raw.objects.extend([stream("", content), font.to_owned()]);
        raw
    }

    /// Adds an object.
    pub(crate) fn with(mut self, object: impl Into<String>) -> Self {
        self.objects.push(object.into());
        self
    }

    /// Adds entries to the dictionary of the object with a number.
    pub(crate) fn entries(mut self, number: usize, entries: &str) -> Self {
        let object = &mut self.objects[number - 1];
        let end = object.rfind(">>").expect("a dictionary");
        object.insert_str(end, entries);
        self
    }

    /// Returns the bytes of the file.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut file = String::from("%PDF-1.4\n");
        let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", self.objects.len() + 1);
        for (object, number) in self.objects.iter().zip(1..) {
            table += &format!("{:010} 00000 n \n", file.len());
            file += &format!("{number} 0 obj\n{object}\nendobj\n");
        }
        let (start, size) = (file.len(), self.objects.len() + 1);
        file += &format!("{table}trailer\n<</Size {size}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n");
        file.into_bytes()
    }
}

/// The dictionary of a font whose text is in Windows-1252.
pub(crate) const HELVETICA: &str = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>";

/// Returns a stream with the entries in its dictionary.
pub(crate) fn stream(entries: &str, data: &str) -> String {
    format!("<</Length {}{entries}>>\nstream\n{data}\nendstream", data.len())
}

/// Returns a PDF that shows the characters from left to right, in a font that tells them by a
/// `ToUnicode` map only.
pub(crate) fn shown(characters: &str) -> Vec<u8> {
    let mut distinct: Vec<char> = characters.chars().collect();
    distinct.sort_unstable();
    distinct.dedup();
    let code = |character: char| 0x21 + distinct.iter().position(|other| *other == character).expect("a character");
    let codes: String = characters.chars().map(|character| format!("{:02X}", code(character))).collect();
    let units =
        |character: char| character.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("{unit:04X}")).collect();
    let pairs = distinct.iter().map(|character| (format!("{:02X}", code(*character)), units(*character)));
    mapped(&format!("<{codes}>"), &pairs.collect::<Vec<(String, String)>>())
}

/// Returns a PDF that shows a string in a font that has a `ToUnicode` map of these codes to UTF-16.
pub(crate) fn mapped(string: &str, pairs: &[(String, String)]) -> Vec<u8> {
    let pairs: String = pairs.iter().map(|(code, text)| format!("<{code}> <{text}> ")).collect();
    let map = format!(
        "begincmap 1 begincodespacerange <00> <FF> endcodespacerange {} beginbfchar {pairs}endbfchar endcmap",
        pairs.matches("> <").count()
    );
    let widths = "500 ".repeat(224);
    let font = format!(
        "<</Type/Font/Subtype/Type1/BaseFont/ABCDEF+Made/FirstChar 32/LastChar 255/Widths[{widths}]/ToUnicode 6 0 R>>"
    );
    Raw::new(&format!("BT /F1 12 Tf 72 700 Td {string} Tj ET"), &font).with(stream("", &map)).bytes()
}

//! PDFs for tests, written object by object, for what no library would write.

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
        let mut table = vec![format!("xref\n0 {}\n0000000000 65535 f \n", self.objects.len() + 1)];
        for (object, number) in self.objects.iter().zip(1..) {
            table.push(format!("{:010} 00000 n \n", file.len()));
            file = format!("{file}{number} 0 obj\n{object}\nendobj\n");
        }
        let (start, size, table) = (file.len(), self.objects.len() + 1, table.concat());
        format!("{file}{table}trailer\n<</Size {size}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n").into_bytes()
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
    let codes: Vec<String> = characters.chars().map(|character| format!("{:02X}", code(character))).collect();
    let units = |character: char| {
        let mut units = [0; 2];
        character.encode_utf16(&mut units).iter().map(|unit| format!("{unit:04X}")).collect::<Vec<String>>().concat()
    };
    let pairs = distinct.iter().map(|character| (format!("{:02X}", code(*character)), units(*character)));
    mapped(&format!("<{}>", codes.concat()), &pairs.collect::<Vec<(String, String)>>())
}

/// Returns a PDF that shows a string in a font that has a `ToUnicode` map of these codes to UTF-16.
pub(crate) fn mapped(string: &str, pairs: &[(String, String)]) -> Vec<u8> {
    let map = format!(
        "begincmap 1 begincodespacerange <00> <FF> endcodespacerange {} beginbfchar {} endbfchar endcmap",
        pairs.len(),
        pairs.iter().map(|(code, text)| format!("<{code}> <{text}>")).collect::<Vec<String>>().join(" ")
    );
    let widths = "500 ".repeat(224);
    let font = format!(
        "<</Type/Font/Subtype/Type1/BaseFont/ABCDEF+Made/FirstChar 32/LastChar 255/Widths[{widths}]/ToUnicode 6 0 R>>"
    );
    Raw::new(&format!("BT /F1 12 Tf 72 700 Td {string} Tj ET"), &font).with(stream("", &map)).bytes()
}

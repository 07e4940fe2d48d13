//! Makes the name of an uploaded file fit to be shown.

/// The longest label, in bytes.
const LONGEST: usize = 255;
/// The longest extension that a label keeps when it is cut, in bytes.
const LONGEST_EXTENSION: usize = 16;

/// Returns the last component of a file's name, without characters that move a terminal's cursor or
/// change the direction of text, or `fallback` if nothing is left.
pub(super) fn label(given: &str, fallback: &str) -> String {
    // Browsers encode exactly these three characters (HTML, "multipart form data").
    let decoded = given.replace("%22", "\"").replace("%0D", "\r").replace("%0A", "\n");
    let last = decoded.rsplit(['/', '\\']).next().unwrap_or_default();
    let shown: String = last.chars().filter(|character| !is_hidden(*character)).collect();
    let shown = shown.trim();
    if shown.is_empty() || shown.chars().all(|character| character == '.') {
        return fallback.to_owned();
    }
    cut(shown)
}

/// Cuts the stem rather than the extension, between characters.
fn cut(name: &str) -> String {
    if name.len() <= LONGEST {
        return name.to_owned();
    }
    let (stem, extension) = match name.rsplit_once('.') {
        Some((stem, extension)) if extension.len() <= LONGEST_EXTENSION => (stem, format!(".{extension}")),
        _ => (name, String::new()),
    };
    let end = stem.floor_char_boundary(LONGEST - extension.len());
    format!("{}{extension}", &stem[..end])
}

/// Returns `true` for a character that is a control, changes the direction of text, or takes no
/// space. A name with it would look like another name.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_the_last_component_without_hidden_characters() {
        let cases = [
            ("report.pdf", "report.pdf"),
            ("../../etc/passwd", "passwd"),
            (r"C:\fakepath\a.md", "a.md"),
            (r"a/b\c", "c"),
            ("photo\u{202e}fdp.exe", "photofdp.exe"),
            ("a\u{0}b\r\nc\u{1b}[31m.txt", "abc[31m.txt"),
            ("say %22hello%22%0D%0A.txt", "say \"hello\".txt"),
            ("100%.txt", "100%.txt"),
            ("  spaced.txt ", "spaced.txt"),
            ("Übung – 漢字.md", "Übung – 漢字.md"),
            ("", "file 1"),
            ("..", "file 1"),
            ("uploads/", "file 1"),
            ("\u{202e}\u{200b}", "file 1"),
        ];
        for (given, expected) in cases {
            assert_eq!(label(given, "file 1"), expected, "{given:?}");
        }
    }

    #[test]
    fn a_long_label_is_cut_between_characters_and_keeps_its_extension() {
        let long = label(&format!("{}.pdf", "é".repeat(300)), "file 1");
        assert!(long.len() <= LONGEST && long.ends_with("é.pdf"), "{}", long.len());
        assert_eq!(label(&"x".repeat(1_000), "file 1").len(), LONGEST);
        assert_eq!(label(&format!("a.{}", "é".repeat(300)), "file 1").len(), LONGEST - 1);
    }
}

//! Replaces the parts in which messages of the same kind differ: numbers, ids, quoted texts, and
//! paths.

const NUMBER: &str = "<number>";
const ID: &str = "<id>";
const TEXT: &str = "<text>";
const PATH: &str = "<path>";

/// The number of characters that are considered. What follows is left out.
const LONGEST: usize = 1_000;

/// Returns the message with placeholders.
pub(crate) fn template(message: &str) -> String {
    let end = message.char_indices().nth(LONGEST);
    let message = end.map_or(message, |(end, _)| &message[..end]);
    let mut template = String::with_capacity(message.len());
    let mut rest = message;
    while let Some(first) = rest.chars().next() {
        if let Some(after) = after_quoted(first, rest, &template) {
            template.push_str(TEXT);
            rest = after;
        } else if separates(first) {
            template.push(if first.is_whitespace() { ' ' } else { first });
            rest = &rest[first.len_utf8()..];
        } else {
            let end = rest.char_indices().skip(1).find(|(_, c)| separates(*c)).map_or(rest.len(), |(at, _)| at);
            push_word(&mut template, &rest[..end]);
            rest = &rest[end..];
        }
    }
    template
}

/// Returns `true` if the character is between two words.
fn separates(c: char) -> bool {
    c.is_whitespace() || c.is_control() || "\"'`“”‘’„«»()[]{}<>,;=|!?*".contains(c)
}

/// Returns what follows a quoted text, if one begins here: not within a word, as an apostrophe is,
/// and with an end.
fn after_quoted<'a>(first: char, text: &'a str, before: &str) -> Option<&'a str> {
    let closing: &[char] = match first {
        '"' => &['"'],
        '\'' => &['\''],
        '`' => &['`'],
        '“' | '„' => &['”', '“'],
        '‘' => &['’'],
        '«' => &['»'],
        _ => return None,
    };
    if before.chars().next_back().is_some_and(char::is_alphanumeric) {
        return None;
    }
    let inside = &text[first.len_utf8()..];
    let mut previous = first;
    for (at, c) in inside.char_indices() {
        let after = &inside[at + c.len_utf8()..];
        // An apostrophe within a word does not end a quotation.
        if closing.contains(&c) && previous != '\\' && !after.chars().next().is_some_and(char::is_alphanumeric) {
            return Some(after);
        }
        previous = c;
    }
    None
}

/// Appends a word, or the placeholder for it.
fn push_word(template: &mut String, word: &str) {
    let core = word.trim_end_matches(['.', ':']);
    let end = &word[core.len()..];
    if is_path(core) {
        template.push_str(PATH);
    } else {
        for (at, part) in core.split(':').enumerate() {
            if at > 0 {
                template.push(':');
            }
            push_part(template, part);
        }
    }
    template.push_str(end);
}

/// Appends a word without colons, or the placeholder for it, or for the numbers in it.
fn push_part(template: &mut String, part: &str) {
    if is_id(part) {
        template.push_str(ID);
        return;
    }
    let mut rest = part;
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        template.push_str(&rest[..at]);
        template.push_str(NUMBER);
        rest = &rest[at..];
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '_').unwrap_or(rest.len());
        let number = rest[..end].trim_end_matches(['.', '_']);
        rest = &rest[number.len()..];
    }
    template.push_str(rest);
}

/// Returns `true` for a path or a URL.
fn is_path(word: &str) -> bool {
    let is_drive = |word: &str| {
        let mut chars = word.chars();
        chars.next().is_some_and(|c| c.is_ascii_alphabetic()) && chars.as_str().starts_with(":\\")
    };
    let name = word.rsplit(['/', '\\']).next().unwrap_or_default();
    let has_extension = name.rfind('.').is_some_and(|dot| dot > 0 && dot + 1 < name.len());
    let slashes = word.matches(['/', '\\']).count();
    word.contains("://")
        || is_drive(word)
        || ["/", "./", "../", "~/", "\\\\"].iter().any(|begin| word.len() > begin.len() && word.starts_with(begin))
        || (slashes > 0 && has_extension && word.chars().any(char::is_alphabetic))
        || slashes > 1
}

/// Returns `true` for an id: a UUID, eight or more hex digits, or a long word with many digits.
fn is_id(part: &str) -> bool {
    let digits = part.chars().filter(char::is_ascii_digit).count();
    let hex = part.strip_prefix("0x").unwrap_or(part);
    let is_hex = |text: &str| text.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    let letters = part.chars().filter(char::is_ascii_alphabetic).count();
    let plain = || part.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    (hex.len() >= 8 && digits > 0 && (letters > 0 || hex.len() >= 16) && is_hex(hex))
        || (hex.len() < part.len() && !hex.is_empty() && is_hex(hex))
        || (part.len() >= 16 && digits >= 4 && letters > 0 && plain())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_differs_between_messages_of_a_kind_is_replaced() {
        for (message, expected) in [
            ("", ""),
            ("the model is overloaded", "the model is overloaded"),
            ("503 Service Unavailable", "<number> Service Unavailable"),
            ("timed out after 12.5s (attempt 3 of 5)", "timed out after <number>s (attempt <number> of <number>)"),
            ("no chunk 0199a1c2-7b1e-7a54-9c01-5f2e8d3b9a10.", "no chunk <id>."),
            ("trace=0199a1c27b1e7a549c015f2e8d3b9a10,user-42", "trace=<id>,user-<number>"),
            ("at 0x7ffe1234", "at <id>"),
            ("key sk-proj-a1b2c3d4e5f6g7 is invalid", "key <id> is invalid"),
            ("cannot open /var/lib/a b.pdf", "cannot open <path> b.pdf"),
            ("src/ingest.rs:41: no such file", "<path>: no such file"),
            (r"C:\data\report.pdf is locked", "<path> is locked"),
            ("GET https://api.example/v1/x?y=1 failed: 429", "GET <path>?y=<number> failed: <number>"),
            ("connect to 10.0.0.7:5432 refused", "connect to <number>:<number> refused"),
            ("column \"user name\" doesn't exist", "column <text> doesn't exist"),
            ("unknown field `a.b`, expected 'x' or 'y'", "unknown field <text>, expected <text> or <text>"),
            ("unclosed \"quote", "unclosed \"quote"),
            ("read and/or write", "read and/or write"),
            ("text/html", "text/html"),
            ("version v1.4.2", "version v<number>"),
            ("a\nb\tc", "a b c"),
        ] {
            assert_eq!(template(message), expected, "{message}");
        }
        assert!(template(&"x1 ".repeat(500_000)).len() < 20_000);
    }

    proptest! {
        #[test]
        fn a_template_has_no_digits(message in "\\PC{0,60}") {
            let found = template(&message);
            prop_assert!(!found.contains(|c: char| c.is_ascii_digit()), "{found}");
        }
    }
}

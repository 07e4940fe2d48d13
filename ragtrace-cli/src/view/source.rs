//! Links to the source lines of stages, where the viewer was told how to make them.

use std::fmt::Write;

use maud::{Markup, html};

use super::session::Session;
use super::show;

/// The schemes of links: web pages, and editors that open a file.
const SCHEMES: [&str; 6] = ["https://", "http://", "vscode://", "vscodium://", "idea://", "zed://"];

/// Parses the pattern of links from the command line.
pub(crate) fn parse(text: &str) -> Result<String, String> {
    if !SCHEMES.iter().any(|scheme| text.starts_with(scheme)) {
        return Err(format!("begin with one of {}", SCHEMES.join(", ")));
    }
    if !text.contains("{file}") {
        return Err("write `{file}` where the path belongs, and `{line}` for the line".to_owned());
    }
    Ok(text.to_owned())
}

/// Returns where a stage is declared, as a link if there is a pattern for links.
pub(crate) fn link(session: &Session, file: &str, line: u32) -> Markup {
    let shown = html! { code { (show::short(file, 200)) ":" (line) } };
    match session.source_url() {
        Some(pattern) => html! { a href=(href(pattern, file, line)) rel="noreferrer" { (shown) } },
        None => shown,
    }
}

/// Fills in a pattern. The path was recorded, so it is encoded as one.
fn href(pattern: &str, file: &str, line: u32) -> String {
    let mut path = String::new();
    for byte in file.bytes() {
        match byte {
            b'\\' => path.push('/'),
            byte if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) => path.push(char::from(byte)),
            byte => {
                let _ = write!(path, "%{byte:02X}");
            }
        }
    }
    pattern.replace("{line}", &line.to_string()).replace("{file}", &path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_filled_in_with_an_encoded_path() {
        let pattern = parse("https://git.example/rag/blob/main/{file}#L{line}").expect("a pattern");
        assert_eq!(href(&pattern, "src/a b.rs", 7), "https://git.example/rag/blob/main/src/a%20b.rs#L7");
        assert_eq!(href(&pattern, "src\\x.rs", 1), "https://git.example/rag/blob/main/src/x.rs#L1");
        assert_eq!(href(&pattern, "\"><{line}?#", 2), "https://git.example/rag/blob/main/%22%3E%3C%7Bline%7D%3F%23#L2");
        for text in ["", "javascript:alert(1)//{file}", "https://git.example/", "/{file}", "data:text/html,{file}"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}

//! Reads reStructuredText: its headings, fields, directives and inline marks, by the parts of its
//! specification that change what a reader sees.
//!
//! The text of a directive stays, and so does its argument; its options and comments do not show.
//! Everything else is read as plain text is.

use super::outline::Outline;
use super::text::Reflow;

/// The marks that underline headings, in the order in which a document uses them.
const UNDERLINES: &str = "=-`:.'\"~^_*+#<>!$%&(),/;?@[\\]{|}";

/// Directives whose content is shown as it is.
const VERBATIM: [&str; 10] = [
    "code",
    "code-block",
    "sourcecode",
    "literalinclude",
    "parsed-literal",
    "prompt",
    "math",
    "highlight",
    "doctest",
    "console",
];

/// Directives that show nothing, or nothing but their title.
const SILENT: [&str; 17] = [
    "image",
    "figure",
    "toctree",
    "contents",
    "index",
    "include",
    "raw",
    "highlight",
    "meta",
    "default-role",
    "role",
    "module",
    "currentmodule",
    "sectnum",
    "target-notes",
    "autosummary",
    "only",
];

/// Reads a page.
pub(super) fn outline(text: &str) -> Outline {
    let mut page =
        Page { outline: Outline::default(), reflow: Reflow::of(text), levels: Vec::new(), pending: String::new() };
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    page.add(&lines);
    page.flush();
    page.outline.or_metadata();
    page.outline
}

struct Page {
    outline: Outline,
    reflow: Reflow,
    /// The marks of the headings by level, and whether there is one above, too.
    levels: Vec<(char, bool)>,
    /// Text that has not been added.
    pending: String,
}

impl Page {
    fn add(&mut self, lines: &[&str]) {
        let mut at = 0;
        while at < lines.len() {
            let rest = &lines[at..];
            at += if let Some((title, level, used)) = self.heading(rest) {
                self.flush();
                self.outline.heading(level, &inline(title));
                used
            } else if let Some((name, value)) =
                field(rest[0]).filter(|_| self.outline.text.is_empty() || self.is_title_only())
            {
                self.outline.fact(&name.to_lowercase(), &inline(value));
                1
            } else if let Some(explicit) = rest[0].trim_start().strip_prefix(".. ") {
                self.explicit(explicit, rest)
            } else if underline(rest[0]).is_some() && rest.get(1).is_none_or(|next| next.is_empty()) {
                // A transition.
                self.push("");
                1
            } else if rest[0].starts_with("__ ") {
                // The target of a link without a name.
                1
            } else if rest[0].trim() == ".." {
                body(rest).1
            } else {
                self.line(rest)
            };
        }
    }

    /// Adds a line of text. One that ends with two colons announces a literal block.
    fn line(&mut self, rest: &[&str]) -> usize {
        let line = rest[0];
        let Some(before) = line.strip_suffix("::") else {
            self.push(&inline(line));
            return 1;
        };
        if before.trim().is_empty() {
            self.pending.push('\n');
        } else {
            self.push(&inline(&format!("{}:", before.trim_end_matches(':'))));
        }
        let (content, used) = body(rest);
        self.flush();
        self.outline.block(&content.join("\n"));
        used
    }

    /// Handles a directive, a target, a footnote or a comment. Returns the number of its lines.
    fn explicit(&mut self, explicit: &str, rest: &[&str]) -> usize {
        let (content, used) = body(rest);
        self.flush();
        if let Some((label, text)) = explicit.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            let content = content.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ");
            let label = label.trim_start_matches('#');
            self.outline.paragraph(&inline(&format!("[{label}] {} {content}", text.trim())));
            return used;
        }
        let substituted =
            explicit.strip_prefix('|').and_then(|rest| rest.split_once("| ")).map_or(explicit, |(_, rest)| rest);
        let Some((name, argument)) = substituted.split_once("::").filter(|(name, _)| !name.contains([' ', '`'])) else {
            return used;
        };
        self.directive(name, argument.trim(), &content);
        used
    }

    fn directive(&mut self, name: &str, argument: &str, content: &[&str]) {
        let is_option = |line: &&&str| field(line.trim_start()).is_some();
        let options = content.iter().take_while(is_option).count();
        let text = &content[options..];
        if VERBATIM.contains(&name) {
            if name == "math" {
                self.outline.block(argument);
            }
            self.outline.block(&text.join("\n"));
            return;
        }
        if SILENT.contains(&name) {
            let words = content[..options].iter().filter_map(|line| line.trim_start().strip_prefix(":alt:"));
            let words: Vec<&str> = words.collect();
            self.outline.paragraph(&words.join(" "));
            if !matches!(name, "figure" | "only") {
                return;
            }
        } else if !argument.is_empty() {
            let kind =
                if matches!(name, "admonition" | "topic" | "sidebar" | "rubric" | "table" | "list-table" | "csv-table")
                {
                    ""
                } else {
                    name
                };
            let introduction =
                if is_admonition(name) { format!("{}: {argument}", capitalized(kind)) } else { argument.to_owned() };
            self.outline.paragraph(&inline(&introduction));
        } else if is_admonition(name) && !text.is_empty() {
            self.push(&format!("{}:", capitalized(name)));
        }
        if name == "csv-table" {
            self.outline.append(super::csv::outline(&text.join("\n")));
            return;
        }
        let least = text
            .iter()
            .filter(|line| !line.is_empty())
            .map(|line| line.len() - line.trim_start().len())
            .min()
            .unwrap_or(0);
        let text: Vec<&str> = text.iter().map(|line| line.get(least..).unwrap_or_default()).collect();
        self.add(&text);
        self.flush();
    }

    /// Returns the title and the level of a heading, and the number of its lines.
    fn heading<'a>(&mut self, lines: &[&'a str]) -> Option<(&'a str, u8, usize)> {
        let over = lines.first().and_then(|line| underline(line));
        let (title, below, used) = match over {
            Some(_) => (*lines.get(1)?, *lines.get(2)?, 3),
            None => (*lines.first()?, *lines.get(1)?, 2),
        };
        let mark = underline(below).filter(|mark| over.is_none_or(|over| over == *mark))?;
        let is_title =
            !title.trim().is_empty() && underline(title).is_none() && (over.is_some() || !title.starts_with(' '));
        let is_long = below.chars().count() + 1 >= title.trim().chars().count().min(4);
        let follows_blank = self.pending.is_empty() || self.pending == "\n" || self.pending.ends_with("\n\n");
        if !is_title || !is_long || !follows_blank {
            return None;
        }
        let style = (mark, over.is_some());
        let level = self.levels.iter().position(|known| *known == style).unwrap_or_else(|| {
            self.levels.push(style);
            self.levels.len() - 1
        });
        Some((title.trim(), u8::try_from(level + 1).unwrap_or(6).min(6), used))
    }

    /// Returns `true` if there is nothing yet but the title of the page.
    fn is_title_only(&self) -> bool {
        self.outline.headings.len() == 1
            && self.outline.text == self.outline.headings[0].title
            && self.pending.trim().is_empty()
    }

    fn push(&mut self, line: &str) {
        self.pending.push_str(line);
        self.pending.push('\n');
    }

    fn flush(&mut self) {
        let text = std::mem::take(&mut self.pending);
        self.reflow.add(&text, &mut self.outline);
    }
}

/// Returns the lines below the first one that are indented deeper, and the number of all of them.
fn body<'a>(lines: &[&'a str]) -> (Vec<&'a str>, usize) {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let first = indent(lines[0]);
    let mut used = 1 + lines[1..].iter().take_while(|line| line.is_empty() || indent(line) > first).count();
    while used > 1 && lines[used - 1].is_empty() {
        used -= 1;
    }
    let content: Vec<&str> = lines[1..used].iter().copied().skip_while(|line| line.is_empty()).collect();
    (content, used)
}

/// Returns the character that a line consists of, if it may underline a heading.
fn underline(line: &str) -> Option<char> {
    let mark = line.chars().next().filter(|mark| UNDERLINES.contains(*mark))?;
    (line.len() >= 3 && line.chars().all(|character| character == mark)).then_some(mark)
}

/// Returns the name and the value of a field: `:name: value`.
fn field(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.strip_prefix(':')?.split_once(':')?;
    let is_name = !name.is_empty()
        && !name.starts_with(' ')
        && !name.contains('`')
        && (value.is_empty() || value.starts_with(' '));
    is_name.then(|| (name, value.trim()))
}

fn is_admonition(name: &str) -> bool {
    matches!(
        name,
        "attention"
            | "caution"
            | "danger"
            | "error"
            | "hint"
            | "important"
            | "note"
            | "tip"
            | "warning"
            | "seealso"
            | "versionadded"
            | "versionchanged"
            | "deprecated"
            | "todo"
    )
}

fn capitalized(name: &str) -> String {
    let mut characters = name.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}

/// Returns the words of a line without the marks of emphasis, code, links and roles.
fn inline(line: &str) -> String {
    if !line.contains(['`', '*', '|', '_']) {
        return line.to_owned();
    }
    let mut shown = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find(['`', '*', '|']) {
        let (before, marked) = rest.split_at(at);
        let mark = ["``", "**", "`", "*", "|"].into_iter().find(|mark| marked.starts_with(mark)).unwrap_or("`");
        let inner = &marked[mark.len()..];
        let is_start =
            before.chars().next_back().or(shown.chars().next_back()).is_none_or(|last| !last.is_alphanumeric())
                && inner.starts_with(|next: char| !next.is_whitespace());
        let Some(end) = inner.find(mark).filter(|end| is_start && *end > 0) else {
            shown.push_str(&rest[..at + mark.len()]);
            rest = inner;
            continue;
        };
        shown.push_str(if mark == "`" { without_role(before) } else { before });
        let (text, after) = (&inner[..end], &inner[end + mark.len()..]);
        shown.push_str(if mark == "`" { link_text(text) } else { text });
        rest = if matches!(mark, "`" | "|") { after.trim_start_matches('_') } else { after };
    }
    shown.push_str(rest);
    without_references(&shown)
}

/// Returns the line without the underscores that make a word a link: `word_`.
fn without_references(line: &str) -> String {
    if !line.contains('_') {
        return line.to_owned();
    }
    let words =
        line.split_inclusive(|character: char| !character.is_alphanumeric() && !matches!(character, '_' | '-' | '.'));
    let mut shown = String::with_capacity(line.len());
    for part in words {
        let end = part
            .find(|character: char| !character.is_alphanumeric() && !matches!(character, '_' | '-' | '.'))
            .unwrap_or(part.len());
        let (word, after) = part.split_at(end);
        let name = word.trim_end_matches('.');
        let link = name.trim_end_matches('_');
        let is_link =
            name.len() > link.len() && name.len() - link.len() <= 2 && link.starts_with(char::is_alphanumeric);
        shown.push_str(if is_link { link } else { name });
        shown.push_str(&word[name.len()..]);
        shown.push_str(after);
    }
    shown
}

/// Returns the text without the role at its end: `:name:`, perhaps with a domain.
fn without_role(before: &str) -> &str {
    let is_role = |character: char| character.is_alphanumeric() || matches!(character, ':' | '-' | '_' | '+' | '.');
    let start = before
        .rfind(|character| !is_role(character))
        .map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
    let role = &before[start..];
    if role.len() > 2 && role.ends_with(':') && role.starts_with(':') { &before[..start] } else { before }
}

/// Returns the text of a link without its target: `text <target>`.
fn link_text(text: &str) -> &str {
    let target = text.strip_suffix('>').and_then(|text| text.rfind('<'));
    match target {
        Some(0) => text.trim_start_matches('<').trim_end_matches('>'),
        Some(at) => text[..at].trim_end(),
        None => text.trim_start_matches(['~', '!']),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inline_marks_do_not_show() {
        let cases = [
            ("Use ``make -j`` and *think*, **now**.", "Use make -j and think, now."),
            (
                "See `the guide <https://a.b/c>`_ or :ref:`pumps <pump>` or :py:func:`~os.path`.",
                "See the guide or pumps or os.path.",
            ),
            ("2 * 3 * 4, a_b and `plain`", "2 * 3 * 4, a_b and plain"),
            ("The |product| works, `so`__ it does.", "The product works, so it does."),
            ("See BLIS_ and a_b_c, __init__ or GitHub_.", "See BLIS and a_b_c, __init__ or GitHub."),
        ];
        for (text, expected) in cases {
            assert_eq!(inline(text), expected);
        }
    }

    #[test]
    fn a_page_has_headings_fields_and_directives() {
        let text = ":Author: Ann\n\n====\nPump\n====\n\nA *pump*\nwith text::\n\n    $ start\n    $ stop\n\n.. a comment\n   of two lines\n\n\
                    Care\n----\n\n.. note:: Wipe it.\n\n.. code-block:: c\n   :linenos:\n\n   int main() {\n     return 0;\n   }\n\n\
                    .. image:: p.png\n   :alt: a red pump\n\n- one\n- two\n\n.. [1] A footnote.\n";
        let outline = outline(text);
        let titles: Vec<_> = outline.headings.iter().map(|heading| (heading.level, heading.title.as_str())).collect();
        assert_eq!(titles, [(1, "Pump"), (2, "Care")]);
        assert_eq!(outline.metadata, [("author".to_owned(), "Ann".to_owned())]);
        let expected = "Pump\n\nA pump with text:\n\n    $ start\n    $ stop\n\nCare\n\nNote: Wipe it.\n\n   int main() {\n     return 0;\n   }\n\n\
                        a red pump\n\n- one\n- two\n\n[1] A footnote.";
        assert_eq!(outline.text, expected);
    }
}

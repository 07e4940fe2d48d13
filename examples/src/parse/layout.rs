//! Tells the shape of a block of plain text: prose, a list, or lines that mean something.
//!
//! Prose is recognized by how its lines are broken: where the next word would not have fitted. If
//! it would have, in most lines, somebody meant the line to end there. Lines in columns are a
//! table, and lines with the marks and indents of programs are code.

/// The shape of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Lines that were broken to fit a page.
    Prose,
    /// Items, each of one or more lines.
    List,
    /// Lines that belong apart: a table, an address, a poem.
    Lines,
    /// Lines of a program.
    Code,
}

/// The longest line that counts for the usual width.
const LONGEST_LINE: usize = 200;

/// The number of lines that say what is usual.
const ENOUGH_LINES: usize = 20;

/// Returns the length that four of five lines that go on in the next one do not exceed, or 0 if
/// there are too few lines to tell.
pub(super) fn usual_width(text: &str) -> usize {
    let mut counts = [0_usize; LONGEST_LINE + 1];
    let mut total = 0;
    let mut lines = text.lines().map(str::trim).peekable();
    while let Some(line) = lines.next() {
        let goes_on = lines.peek().is_some_and(|next| !next.is_empty());
        let length = length(line);
        if goes_on && length > 0 && length <= LONGEST_LINE {
            counts[length] += 1;
            total += 1;
        }
    }
    if total < ENOUGH_LINES {
        return 0;
    }
    let mut seen = 0;
    (0..counts.len())
        .find(|length| {
            seen += counts[*length];
            seen * 5 >= total * 4
        })
        .unwrap_or(0)
}

/// Returns the shape of a block that follows one of the shape `last`.
pub(super) fn shape(lines: &[&str], width: usize, last: Shape) -> Shape {
    let goes_on = last == Shape::Code && lines.iter().all(|line| indent(line) > 0);
    if goes_on || is_code(lines) {
        Shape::Code
    } else if has_columns(lines) {
        Shape::Lines
    } else if !items(lines).is_empty() {
        Shape::List
    } else if lines.len() == 1 || (!is_stepped(lines) && is_filled(lines, width)) {
        Shape::Prose
    } else {
        Shape::Lines
    }
}

/// Returns the number of columns before the first character that is not white space.
pub(super) fn indent(line: &str) -> usize {
    line.chars()
        .take_while(|character| character.is_whitespace())
        .map(|character| if character == '\t' { 8 } else { 1 })
        .sum()
}

fn length(line: &str) -> usize {
    line.chars().count()
}

/// Returns the level and the title of a heading that is underlined, and perhaps overlined, and the
/// number of its lines.
pub(super) fn heading<'a>(lines: &[&'a str]) -> Option<(u8, &'a str, usize)> {
    let at = usize::from(lines.len() > 2 && rule(lines[0]).is_some() && rule(lines[0]) == rule(lines[2]));
    let (title, below) = (lines.get(at)?, lines.get(at + 1)?);
    let mark = rule(below)?;
    let (words, line) = (length(title.trim()), length(below.trim()));
    let fits = words <= line + 2 && line <= words + 4 && line >= 3;
    let is_title = fits && rule(title).is_none() && title.contains(char::is_alphanumeric) && !title.contains('\t');
    // A table's header is underlined, too.
    let is_alone = at == 1 || lines.len() == 2 || !title.trim().contains("  ");
    let level = match mark {
        '=' | '#' => 1,
        '-' | '*' => 2,
        _ => 3,
    };
    (is_title && is_alone).then(|| (level, title.trim(), at + 2))
}

/// Returns the character of which a line consists, if it is one that underlines.
fn rule(line: &str) -> Option<char> {
    let line = line.trim();
    let mark = line.chars().next().filter(|mark| "=-~^*#\"'`+_:.".contains(*mark))?;
    (line.len() >= 3 && line.chars().all(|character| character == mark)).then_some(mark)
}

/// An item of a list.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item {
    /// The index of its first line.
    pub(super) line: usize,
    /// The column in which its text begins.
    pub(super) text_column: usize,
}

/// Returns the items that begin in a block.
pub(super) fn items(lines: &[&str]) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some((mark, number)) = mark(line.trim_start()) else { continue };
        // A line of prose may begin with a number, but a list begins with 1.
        if number.is_none_or(|number| at == 0 || number == 1 || !items.is_empty()) {
            items.push(Item { line: at, text_column: indent(line) + mark });
        }
    }
    items
}

/// Returns the length of the mark that begins an item, with its space, and the number if it has
/// one: `-`, `*`, `+`, `•`, `–`, `1.`, `1)`, `(1)` or `a)`.
fn mark(line: &str) -> Option<(usize, Option<u32>)> {
    let (mark, _) = line.split_once([' ', '\t'])?;
    let length = length(mark) + 1;
    if matches!(mark, "-" | "*" | "+" | "•" | "–" | "◦" | "▪" | "‣" | "·") {
        return Some((length, None));
    }
    let inner = mark.strip_suffix(['.', ')'])?;
    let inner = inner.strip_prefix('(').filter(|_| mark.ends_with(')')).unwrap_or(inner);
    let is_number = !inner.is_empty() && inner.len() <= 3 && inner.bytes().all(|byte| byte.is_ascii_digit());
    let is_letter =
        mark.ends_with(')') && inner.len() == 1 && inner.starts_with(|letter: char| letter.is_ascii_lowercase());
    (is_number || is_letter).then(|| (length, Some(inner.parse().unwrap_or(1))))
}

/// Returns `true` if lines after the first one are indented differently, which prose is not.
fn is_stepped(lines: &[&str]) -> bool {
    let rest = lines.get(1..).unwrap_or_default();
    rest.iter().any(|line| indent(line).abs_diff(indent(rest[0])) >= 2)
        // A line that announces what is indented below it.
        || lines.windows(2).any(|pair| pair[0].ends_with([':', '{']) && indent(pair[1]) > indent(pair[0]))
}

/// Returns `true` if most lines end where the next word would not have fitted.
pub(super) fn is_filled(lines: &[&str], width: usize) -> bool {
    if lines.len() < 2 {
        return true;
    }
    let mut lengths: Vec<usize> = lines.iter().map(|line| length(line.trim())).collect();
    lengths.sort_unstable();
    // A single line may be longer than the others, because its last word cannot be broken.
    let own = lengths[lengths.len() - if lengths.len() > 4 { 2 } else { 1 }];
    let filled = |width: usize| {
        let is_full = |pair: &&[&str]| {
            let (line, next) = (pair[0].trim(), pair[1].trim());
            let word = length(next.split_whitespace().next().unwrap_or_default());
            line.ends_with(['-', '\u{ad}']) || (length(line) + 1 + word) * 10 > width * 9
        };
        lines.windows(2).filter(is_full).count()
    };
    let breaks = lines.len() - 1;
    // A block of few lines may be short by chance, so it is held against the rest of the text. A
    // larger one may have a width of its own.
    let is_wide = breaks >= 4 && own >= 35 && filled(own) * 5 >= breaks * 4;
    is_wide || filled(own.max(width)) * 5 >= breaks * 3
}

/// Returns `true` if the lines are cells that stand below each other.
fn has_columns(lines: &[&str]) -> bool {
    if lines.len() < 2 {
        return false;
    }
    if lines.iter().filter(|line| line.trim().contains('\t')).count() * 5 >= lines.len() * 3 {
        return true;
    }
    let columns: Vec<Vec<(usize, usize)>> = lines.iter().map(|line| gaps(line)).collect();
    if columns.iter().filter(|gaps| !gaps.is_empty()).count() * 5 < lines.len() * 3 {
        return false;
    }
    let is_justified = lines.len() > 2
        && lines[..lines.len() - 1].windows(2).all(|pair| length(pair[0]) == length(pair[1]))
        && columns.iter().flatten().all(|(_, spaces)| *spaces <= 3);
    let aligned = columns
        .windows(2)
        .filter(|pair| pair[0].iter().any(|(column, _)| pair[1].iter().any(|(other, _)| other == column)))
        .count();
    !is_justified && aligned * 2 >= lines.len() - 1
}

/// Returns the columns at which something follows two or more spaces, and the number of these,
/// except the two after a sentence.
fn gaps(line: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let (mut spaces, mut last) = (0, ' ');
    for (column, character) in line.trim_end().chars().enumerate() {
        if character == ' ' {
            spaces += 1;
            continue;
        }
        let is_sentence_end = spaces == 2 && matches!(last, '.' | '!' | '?' | ':' | ')' | '"' | '”');
        if spaces >= 2 && last != ' ' && !is_sentence_end {
            found.push((column, spaces));
        }
        (spaces, last) = (0, character);
    }
    found
}

/// Returns `true` if at least half of the lines look like a program's.
fn is_code(lines: &[&str]) -> bool {
    let found = lines.iter().filter(|line| is_code_line(line.trim())).count();
    lines.len() > 1 && found * 2 >= lines.len()
}

/// Returns `true` for a line with marks that programs, settings and terminals have, or that
/// consists of signs mostly, as drawings do.
fn is_code_line(line: &str) -> bool {
    const STARTS: [&str; 26] = [
        "#!", "#include", "//", "/*", "*/", "$ ", ">>>", "<?", "</", "@", "def ", "class ", "fn ", "let ", "const ",
        "var ", "return", "if (", "for (", "while (", "else:", "elif ", "try:", "} ", "import ", "> ",
    ];
    const INSIDE: [&str; 16] =
        [" = ", "==", "!=", "->", "=>", "::", "()", " += ", "&&", "||", "</", "/>", "${", "$(", "\": ", " := "];
    const ENDS: [&str; 9] = ["{", "}", ";", "):", "(", "[", "\\", "},", "],"];
    let signs = line.chars().filter(char::is_ascii_punctuation).count();
    STARTS.iter().any(|start| line.starts_with(start))
        || INSIDE.iter().any(|inside| line.contains(inside))
        || ENDS.iter().any(|end| line.ends_with(end))
        || is_call(line)
        || is_request(line)
        || signs * 5 > line.len() * 2
}

/// Returns `true` for a request of troff, in which manual pages are written.
fn is_request(line: &str) -> bool {
    matches!(line.as_bytes(), [b'.', first, second, ..] if first.is_ascii_alphabetic() && second.is_ascii_alphabetic())
}

/// Returns `true` for a name with arguments in parentheses, and nothing else.
fn is_call(line: &str) -> bool {
    let is_name = |name: &str| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'))
    };
    line.ends_with(')') && line.split_once('(').is_some_and(|(name, _)| is_name(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Shape {
        shape(&text.lines().collect::<Vec<_>>(), 0, Shape::Prose)
    }

    #[test]
    fn prose_is_what_was_broken_to_fit() {
        for text in [
            "A para-\ngraph in\nthree lines.",
            "  The pump is serviced every six months by a\ntechnician. The valve is opened by hand, and\nnever while the pump is running. It closes.",
            "It  is  justified  to  both  margins,  and\nso  it  has  gaps,  which are not columns,\nin its lines.",
            "One.  Two sentences.  Three of them in a\nline.  And a fourth one.",
        ] {
            assert_eq!(of(text), Shape::Prose, "{text}");
        }
    }

    #[test]
    fn lines_that_could_have_gone_on_stay() {
        for text in [
            "Model      Volume   Service\nP-100      40 l     6 months\nP-200      80 l     12 months",
            "Roses are red,\nand violets are, as everybody says,\nblue.",
            "a\tb\nc\td",
            "Term:\n    its definition",
        ] {
            assert_eq!(of(text), Shape::Lines, "{text}");
        }
    }

    #[test]
    fn code_and_lists_are_recognized() {
        for text in [
            "def f(x):\n    return 1",
            "a = 1\nb = 2",
            "$ make\n$ make install",
            "+---+\n| a |\n+---+",
            "{\n  \"a\": 1\n}",
        ] {
            assert_eq!(of(text), Shape::Code, "{text}");
        }
        for text in ["- one\n- two", "Steps:\n1. one\n2. two", "(1) one\n(2) two", "* one", "a) one\nb) two"] {
            assert_eq!(of(text), Shape::List, "{text}");
        }
        assert_eq!(items(&["It was in the year", "12. and later"]).len(), 0);
    }

    #[test]
    fn headings_are_underlined() {
        assert_eq!(heading(&["Pump", "====", "Text"]), Some((1, "Pump", 2)));
        assert_eq!(heading(&["----", "Pump", "----"]), Some((2, "Pump", 3)));
        assert_eq!(heading(&["Model  Volume", "-------------", "a      b"]), None);
        assert_eq!(heading(&["Just a line of text", "---"]), None);
    }
}

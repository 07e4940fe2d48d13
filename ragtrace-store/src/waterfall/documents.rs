//! Documents that a retriever or a reranker found, on lines below its span: `0.83  chunk:manual-17
//! used  docs/manual.pdf`.

use std::collections::HashSet;

use ragtrace::{RecordItem, StageKind};

use super::number::{format_count, format_score};
use super::paint::Paint;
use super::text::{display_width, fit_end, printable};
use crate::read::{SpanNode, Trace};

/// The largest number of documents shown of one span, unless all are wanted.
const SHOWN: usize = 10;
/// The mark of a document that the answer was made of.
const USED: &str = "used";
/// The blanks between two columns.
const GAP: usize = 2;

/// The items that the answer was made of.
pub(super) struct Documents<'a> {
    /// The types and ids that stages of the kind `generate` used; `None` if they declare none.
    used: Option<HashSet<(&'a str, &'a str)>>,
    most: usize,
}

impl<'a> Documents<'a> {
    pub(super) fn of(trace: &'a Trace, all: bool) -> Self {
        let answers = trace.spans().filter(|span| span.kind() == Some(StageKind::Generate));
        let used: HashSet<_> = answers.flat_map(|span| span.record().used()).map(key).collect();
        Self { used: (!used.is_empty()).then_some(used), most: if all { usize::MAX } else { SHOWN } }
    }

    /// Returns the lines for the documents that a span found, each at most `room` columns wide.
    pub(super) fn lines(&self, span: SpanNode<'a>, room: usize) -> Vec<Vec<(Paint, String)>> {
        if !matches!(span.kind(), Some(StageKind::Retrieve | StageKind::Rerank)) {
            return Vec::new();
        }
        let found = span.record().generated();
        let rows: Vec<Row> = found.iter().take(self.most).map(|item| self.row(item)).collect();
        let widths = Widths::of(&rows, room);
        let mut lines: Vec<_> = rows.iter().map(|row| row.parts(&widths)).collect();
        if let Some(more) = self.more(found) {
            lines.push(vec![(Paint::Dim, more)]);
        }
        lines
    }

    fn row(&self, item: &RecordItem) -> Row {
        Row {
            score: item.score().map(format_score).unwrap_or_default(),
            item_type: printable(item.item_type()).into_owned(),
            id: printable(item.id()).into_owned(),
            is_used: self.is_used(item),
            source: item.source().map(|source| printable(source).into_owned()).unwrap_or_default(),
        }
    }

    fn is_used(&self, item: &RecordItem) -> bool {
        self.used.as_ref().is_some_and(|used| used.contains(&key(item)))
    }

    /// Returns the line for the documents that are not shown.
    fn more(&self, found: &[RecordItem]) -> Option<String> {
        let hidden = found.get(self.most..).filter(|hidden| !hidden.is_empty())?;
        let used = hidden.iter().filter(|item| self.is_used(item)).count();
        let used = if used > 0 { format!(", {} of them {USED}", format_count(used as u64)) } else { String::new() };
        Some(format!("+{} more{used}", format_count(hidden.len() as u64)))
    }
}

fn key(item: &RecordItem) -> (&str, &str) {
    (item.item_type(), item.id())
}

/// The texts of one document.
struct Row {
    score: String,
    item_type: String,
    id: String,
    is_used: bool,
    source: String,
}

/// The widths of the columns, zero for one that is empty. They include the blanks behind a column.
struct Widths {
    score: usize,
    /// Of the type and the id, or of the id alone if both do not fit.
    id: usize,
    has_type: bool,
    used: usize,
    source: usize,
}

impl Widths {
    fn of(rows: &[Row], room: usize) -> Self {
        let widest = |text: fn(&Row) -> &str| rows.iter().map(|row| display_width(text(row))).max().unwrap_or(0);
        let column = |width: usize| if width > 0 { width + GAP } else { 0 };
        let score = column(widest(|row| &row.score));
        let used = if rows.iter().any(|row| row.is_used) { USED.len() + GAP } else { 0 };
        let room = room.saturating_sub(score + used);
        // The id may take two thirds of what is left, or more if the sources are short.
        let most = (room * 2 / 3).max(room.saturating_sub(widest(|row| &row.source)));
        let item_type = rows.iter().map(|row| display_width(&row.item_type) + 1 + display_width(&row.id)).max();
        let with_type = column(item_type.unwrap_or(0));
        let has_type = with_type <= most;
        let id = if has_type { with_type } else { column(widest(|row| &row.id)).min(most) };
        Self { score, id, has_type, used, source: room.saturating_sub(id) }
    }
}

impl Row {
    fn parts(&self, widths: &Widths) -> Vec<(Paint, String)> {
        let padded =
            |text: &str, width: usize| format!("{text}{:pad$}", "", pad = width.saturating_sub(display_width(text)));
        let score = format!("{:pad$}{}", "", self.score, pad = widths.score.saturating_sub(GAP + self.score.len()));
        let id = if widths.has_type { format!("{}:{}", self.item_type, self.id) } else { self.id.clone() };
        // The end of an id tells more than its beginning, which many have in common.
        let id = fit_end(&id, widths.id.saturating_sub(if widths.source > 0 { GAP } else { 0 }));
        let mut parts = vec![
            (Paint::Cyan, padded(&score, widths.score)),
            (Paint::Plain, padded(&id, widths.id)),
            (Paint::Green, padded(if self.is_used { USED } else { "" }, widths.used)),
            (Paint::Dim, fit_end(&self.source, widths.source).into_owned()),
        ];
        // A line does not end with blanks.
        while let Some((_, last)) = parts.last_mut() {
            last.truncate(last.trim_end_matches(' ').len());
            if !last.is_empty() {
                break;
            }
            parts.pop();
        }
        parts
    }
}

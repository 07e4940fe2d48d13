//! Draws the branches to the left of a line.

use super::line::Line;

/// The branches at one line.
pub(super) struct Tree {
    /// The number of levels that are drawn, at least one.
    levels: usize,
    /// Contains `true` for the line, and each of its ancestors from the root, that is a last child.
    last: Vec<bool>,
}

impl Tree {
    pub(super) fn new(levels: usize) -> Self {
        Self { levels, last: Vec::new() }
    }

    pub(super) fn enter(&mut self, line: &Line<'_>) {
        self.last.truncate(line.depth);
        self.last.push(line.is_last_child);
    }

    /// Returns the branches up to the line itself.
    pub(super) fn branch(&self) -> String {
        match self.last.split_last() {
            Some((last, above)) if !above.is_empty() => {
                let elbow = if *last { "└─" } else { "├─" };
                format!("{}{elbow}", self.trunks(above.len() - 1))
            }
            _ => String::new(),
        }
    }

    /// Returns the branches to the left of lines below this one: its trunk in place of its elbow,
    /// and the trunk of its children if it has any.
    pub(super) fn below(&self, has_children: bool) -> String {
        let mut below = self.trunks(self.last.len().saturating_sub(1));
        below.push_str(if has_children { "│ " } else { "  " });
        below
    }

    /// Returns the trunks of the ancestors from the second level to `levels`. If they are too many,
    /// only the nearest are drawn.
    fn trunks(&self, levels: usize) -> String {
        let skipped = levels.saturating_sub(self.levels - 1);
        let trunks = self.last[1 + skipped.min(levels)..=levels].iter().map(|last| if *last { "  " } else { "│ " });
        let more = if skipped > 0 { "⋯ " } else { "" };
        std::iter::once(more).chain(trunks.skip(usize::from(skipped > 0))).collect()
    }
}

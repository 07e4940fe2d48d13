//! Reads the bookmarks of a PDF.

use std::collections::HashMap;

use pdfboss_core::{Destination, DestinationPage, Document as File, Fit, ObjRef, OutlineItem};

use super::content::Bookmark;

/// The deepest level of a heading.
const DEEPEST: usize = 6;

/// Returns the bookmarks that lead to a page, in their order. `pages` has the index of each page.
pub(super) fn bookmarks(file: &File, pages: &HashMap<ObjRef, usize>) -> Vec<Bookmark> {
    let mut bookmarks = Vec::new();
    // An explicit stack: a file may nest them deeply.
    let mut rest: Vec<(OutlineItem, usize)> = file.outline().into_iter().rev().map(|item| (item, 1)).collect();
    while let Some((item, level)) = rest.pop() {
        let title = item.title.split(|character: char| character.is_whitespace() || character.is_control());
        let title = title.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
        let place = item.destination.and_then(|destination| Some((page(destination, pages)?, top(destination.fit))));
        if let Some((page, top)) = place.filter(|_| !title.is_empty()) {
            let level = u8::try_from(level.min(DEEPEST)).unwrap_or(u8::MAX);
            bookmarks.push(Bookmark { level, title, page, top });
        }
        rest.extend(item.children.into_iter().rev().map(|child| (child, level + 1)));
    }
    bookmarks
}

fn page(destination: Destination, pages: &HashMap<ObjRef, usize>) -> Option<usize> {
    match destination.page {
        DestinationPage::Object(page) => pages.get(&page).copied(),
        DestinationPage::Number(number) => usize::try_from(number).ok().filter(|page| *page < pages.len()),
    }
}

fn top(fit: Fit) -> Option<f32> {
    match fit {
        Fit::Xyz { top, .. } | Fit::FitH { top } | Fit::FitBH { top } => top,
        Fit::FitR { top, .. } => Some(top),
        _ => None,
    }
}

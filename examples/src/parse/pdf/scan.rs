//! Recognizes pages whose text seems to be missing: scans, and letters that are drawn as curves.

use pdfboss_core::{Document as File, Page};
use pdfboss_text::{FontCache, placed_images_reporting_cached};

use crate::document::LossKind;

/// A page with fewer letters than this is looked at: about three lines.
const FEW_LETTERS: usize = 200;

/// The share of the page that images cover if it is a scan.
const COVERED: f32 = 0.6;

/// The size of the drawings in bytes from which on a page without a letter may consist of letters
/// that are drawn. A line of text takes that much.
const DRAWN_BYTES: usize = 10_000;

/// Returns the loss of a page that has `letters` letters, and suspiciously much else.
pub(super) fn little_text(file: &File, page: &Page, fonts: &FontCache, letters: usize) -> Option<(LossKind, String)> {
    if letters >= FEW_LETTERS {
        return None;
    }
    let covered = covered(file, page, fonts);
    let cause = if covered >= COVERED {
        let words = if letters == 0 { "no text".to_owned() } else { format!("only {letters} letters") };
        format!("an image covers it, and it has {words}; if it is a scan, run text recognition (OCR) over it")
    } else if letters == 0 && page.content(file).is_ok_and(|content| content.len() >= DRAWN_BYTES) {
        "it has drawings, but no text; if its letters are drawn, run text recognition (OCR) over it".to_owned()
    } else {
        return None;
    };
    Some((LossKind::LittleText, cause))
}

/// Returns the share of the page that its images cover, counting twice where they overlap: a scan
/// may be cut into strips.
fn covered(file: &File, page: &Page, fonts: &FontCache) -> f32 {
    let Ok((images, _)) = placed_images_reporting_cached(file, page, fonts) else { return 0.0 };
    let shown = page.crop_box;
    let area: f32 = images
        .iter()
        .map(|image| {
            let width = image.bbox.x1.min(shown.x1) - image.bbox.x0.max(shown.x0);
            let height = image.bbox.y1.min(shown.y1) - image.bbox.y0.max(shown.y0);
            width.max(0.0) * height.max(0.0)
        })
        .sum();
    let page = shown.width() * shown.height();
    if page > 0.0 { area / page } else { 0.0 }
}

//! Charts as SVG, written on the server.
//!
//! Sizes are attributes, since the content security policy forbids `style`. A chart is stretched to
//! the width of the page, so its texts are HTML beside it, and its lines and dots keep their
//! thickness (`vector-effect`). Each chart has its numbers as a table too, for those who read them
//! or cannot see it.

mod axis;
mod histogram;
mod lines;
mod path;
mod scale;
mod scatter;
mod spark;

pub(crate) use histogram::{Bar, histogram};
pub(crate) use lines::{Line, lines};
pub(crate) use scatter::{Dot, scatter};
pub(crate) use spark::spark;

//! The width and the colours of the output: as the command line says, else as the environment and
//! the terminal do.

use std::io::{IsTerminal, Stdout};
use std::sync::OnceLock;

use clap::ValueEnum;

/// The narrowest and the widest output that can be asked for, in columns.
const WIDTHS: std::ops::RangeInclusive<usize> = 40..=10_000;

/// The arguments for the width and the colours, which every command has.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub(crate) struct Look {
    /// Use colours: always, never, or if the output is a terminal and `NO_COLOR` is not set.
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t, hide_possible_values = true)]
    color: When,
    /// Fit the output to this many columns, at least 40 [default: `COLUMNS`, else the terminal's
    /// width]
    ///
    /// If there is no terminal and the environment variable `COLUMNS` is not set, tables are not
    /// cut and drawings are 100 columns wide.
    #[arg(long, global = true, value_name = "COLUMNS", value_parser = width, allow_negative_numbers = true)]
    width: Option<usize>,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum When {
    #[default]
    Auto,
    Always,
    Never,
}

fn width(text: &str) -> Result<usize, String> {
    let columns = text.parse().ok().filter(|columns| WIDTHS.contains(columns));
    columns.ok_or_else(|| format!("give a whole number from {} to {}", WIDTHS.start(), WIDTHS.end()))
}

static CHOSEN: OnceLock<Look> = OnceLock::new();

impl Look {
    /// Makes this the look of everything that the command writes from now on.
    pub(crate) fn choose(self) {
        let _ = CHOSEN.set(self);
    }

    fn chosen() -> Self {
        CHOSEN.get().copied().unwrap_or_default()
    }
}

/// Returns the width that lines have to fit, or `None` if they may be of any length.
pub(super) fn width_of(stdout: &Stdout) -> Option<usize> {
    // Set for this purpose by many a script and test; a shell does not export its own.
    let columns = || std::env::var("COLUMNS").ok()?.parse().ok().filter(|columns| *columns > 0);
    let terminal = || terminal_size::terminal_size_of(stdout).map(|(width, _)| usize::from(width.0));
    Look::chosen().width.or_else(columns).or_else(terminal)
}

/// Returns `true` if `stream` gets colours. Unless the command line says it, it does if it is a
/// terminal and `NO_COLOR` is not set (<https://no-color.org>).
pub(crate) fn has_colour(stream: &impl IsTerminal) -> bool {
    let unwanted = || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    match Look::chosen().color {
        When::Auto => stream.is_terminal() && !unwanted() && takes_colour(),
        When::Always => {
            takes_colour();
            true
        }
        When::Never => false,
    }
}

/// Returns `true` if the terminal shows colours: a console of Windows does once it was told to, and
/// a terminal of Unix that runs there (MSYS2, Cygwin) does by itself, and sets `TERM`.
#[cfg(windows)]
fn takes_colour() -> bool {
    anstyle_query::windows::enable_ansi_colors() == Some(true)
        || std::env::var_os("TERM").is_some_and(|terminal| terminal != "dumb")
}

#[cfg(not(windows))]
fn takes_colour() -> bool {
    true
}

//! The widths of the columns, and the drawing of a line in them.

use std::fmt::{self, Formatter};

use super::bar::Scale;
use super::line::{Line, Shown};
use super::number::format_duration;
use super::paint::{ON_PATH, Paint, Painter, mark, of_span, of_status};
use super::sum::{Statistics, Sum};
use super::text::{display_width, fit, fit_end};
use super::tree::Tree;
use crate::read::Trace;

/// The fewest cells that are worth drawing a bar in.
const LEAST_BAR: usize = 10;
/// The fewest columns for a stage's name and its branches.
const LEAST_NAME: usize = 22;
/// The text that explains the sign of the critical path.
const LEGEND: &str = "critical path";
/// The headings of the columns behind the bars, which are shown if there are two times.
const TIMES: [&str; 2] = ["time", "self"];
/// The fewest columns in which the end of a long label still tells something.
const LEAST_LABEL: usize = 6;
/// The largest number of tree levels that are drawn. Deeper lines are drawn at this depth, behind a
/// `⋯`.
const LEVELS: usize = 12;

/// The widths of the columns, the same for every line.
pub(super) struct Columns {
    name: usize,
    /// The number of tree levels that are drawn.
    pub(super) levels: usize,
    /// The width of the sign of the critical path; zero if there is but one span.
    path: usize,
    /// The width of the bars; zero if there is no room for them.
    bar: usize,
    time: usize,
    /// The width of the self times; zero if they are not wanted.
    self_time: usize,
    count: usize,
    cost: usize,
    scale: Scale,
    /// The form of the sums' statistics.
    statistics: Statistics,
    /// `true` if statistics take the place of a bar, `false` if they have a line of their own.
    statistics_in_bar: bool,
}

impl Columns {
    pub(super) fn of(trace: &Trace, lines: &[Line<'_>], width: usize, self_times: bool) -> Self {
        let widest = |part: &dyn Fn(&Line<'_>) -> usize| lines.iter().map(part).max().unwrap_or(0);
        let column = |text: String| if text.is_empty() { 0 } else { display_width(&text) + 2 };
        let count = widest(&|line| column(line.count()));
        let cost = widest(&|line| column(line.cost()));
        let heading = |column: usize, text: &str| if self_times { column.max(text.len() + 2) } else { column };
        let time = heading(widest(&|line| column(line.time())), TIMES[0]);
        let self_time = if self_times { heading(widest(&|line| column(line.self_time())), TIMES[1]) } else { 0 };
        let path = if trace.spans().len() > 1 { 1 + display_width(ON_PATH) } else { 0 };
        // If the width is too small, the cost is left out first, then the count.
        let fits = |columns: usize| columns + path + time + self_time + LEAST_NAME <= width;
        let cost = if fits(cost + count) { cost } else { 0 };
        let count = if fits(cost + count) { count } else { 0 };
        let room = width.saturating_sub(path + time + self_time + count + cost);
        // Names may take two fifths of the width, or half of it with their labels. They may take
        // all of it if bars would be too short to tell anything.
        let label = |line: &Line<'_>| line.labels().iter().map(|label| 1 + display_width(label)).max().unwrap_or(0);
        let share = if lines.iter().any(|line| label(line) > 0) { room / 2 } else { room * 2 / 5 };
        let limit = if room >= 3 * LEAST_BAR { share } else { room };
        let limit = limit.max(LEAST_NAME).min(room);
        // A level takes two columns: half of the name column is left to the name itself.
        let levels = (limit / 4).clamp(1, LEVELS);
        let names = lines.iter().filter(|line| line.span().is_some() || line.sum().is_some());
        let name = names.map(|line| {
            2 * line.depth.min(levels) + 3 + display_width(&line.stage()) + display_width(&line.times()) + label(line)
        });
        let name = name.max().unwrap_or(0);
        let name = name.min(limit);
        let bar = room.saturating_sub(name + 1);
        let bar = if bar >= LEAST_BAR { bar } else { 0 };
        let sums = || lines.iter().filter_map(Line::sum);
        let words = Statistics::of(sums());
        let signs = words.in_signs();
        let fits = |form: &Statistics| sums().all(|sum| width_of(&sum.statistics(form)) <= bar);
        let statistics_in_bar = fits(&words) || fits(&signs);
        let statistics = if statistics_in_bar && !fits(&words) { signs } else { words };
        let scale = Scale::of(trace, bar);
        Self { name, levels, path, bar, time, self_time, count, cost, scale, statistics, statistics_in_bar }
    }

    /// Draws the line above the spans: the explanation of the sign, the time axis, which is the
    /// start, middle and end of the bars, and the headings of two times.
    pub(super) fn head(&self, f: &mut Formatter<'_>, painter: Painter) -> fmt::Result {
        let [time, own] = TIMES;
        let headings = format!("{time:>0$}{own:>1$}", self.time, self.self_time);
        let headings = if self.self_time > 0 { headings } else { String::new() };
        if self.bar == 0 && self.path == 0 && headings.is_empty() {
            return Ok(());
        }
        writeln!(f)?;
        let left = self.name + self.path;
        let legend = fit(LEGEND, left.saturating_sub(self.path));
        if self.path > 0 {
            write!(f, "{:pad$}", "", pad = left.saturating_sub(display_width(&legend) + self.path))?;
            painter.paint(f, Paint::Dim, &legend)?;
            write!(f, " ")?;
            painter.paint(f, Paint::Yellow, ON_PATH)?;
        } else {
            write!(f, "{:left$}", "")?;
        }
        let axis = if self.bar > 0 { format!(" {}", self.axis()) } else { String::new() };
        painter.paint(f, Paint::Dim, &format!("{axis}{headings}"))
    }

    fn axis(&self) -> String {
        let (middle, end) = (format_duration(self.scale.total() / 2), format_duration(self.scale.total()));
        let mut axis = "0".to_owned();
        if self.bar >= 3 * (display_width(&middle) + display_width(&end)) {
            axis = format!("{axis:<to$}{middle}", to = (self.bar - display_width(&middle)) / 2);
        }
        let axis = fit(&axis, self.bar.saturating_sub(display_width(&end) + 1)).into_owned();
        let gap = self.bar.saturating_sub(display_width(&axis) + display_width(&end));
        format!("{axis}{:gap$}{}", "", fit(&end, self.bar))
    }

    pub(super) fn line(&self, f: &mut Formatter<'_>, painter: Painter, tree: &Tree, line: &Line<'_>) -> fmt::Result {
        let branch = tree.branch();
        let arrow = line.above();
        let room = self.name.saturating_sub(display_width(&branch) + 2 + display_width(arrow));
        let name = name(line, room);
        painter.paint(f, Paint::Dim, &branch)?;
        painter.paint(f, of_status(line.status()), mark(line.status()))?;
        write!(f, " {name}")?;
        painter.paint(f, Paint::Dim, arrow)?;
        let mut used = display_width(&branch) + 2 + display_width(&name) + display_width(arrow);
        if let Some(label) = fitting(line.labels(), self.name.saturating_sub(used + 1)) {
            painter.paint(f, Paint::Dim, &format!(" {label}"))?;
            used += 1 + display_width(&label);
        }
        write!(f, "{:pad$}", "", pad = self.name.saturating_sub(used))?;
        if self.path > 0 && line.is_on_path() {
            write!(f, " ")?;
            painter.paint(f, Paint::Yellow, ON_PATH)?;
        } else {
            write!(f, "{:path$}", "", path = self.path)?;
        }
        let own = if self.self_time > 0 { line.self_time() } else { String::new() };
        let after =
            [(line.time(), self.time), (own, self.self_time), (line.count(), self.count), (line.cost(), self.cost)];
        let last = after.iter().rposition(|(text, width)| *width > 0 && !text.is_empty()).map_or(0, |last| last + 1);
        if self.bar > 0 {
            let drawn = self.bar(f, painter, line)?;
            let pad = if last == 0 { 0 } else { self.bar.saturating_sub(drawn) };
            write!(f, "{:pad$}", "")?;
        }
        // `{:>width$}` counts characters, and a `µ` is one column wide.
        let mut shown = after[..last].iter().filter(|(_, width)| *width > 0);
        shown.try_for_each(|(text, width)| write!(f, "{text:>width$}"))
    }

    /// Draws the cells in the bar column, and returns how many it takes.
    fn bar(&self, f: &mut Formatter<'_>, painter: Painter, line: &Line<'_>) -> Result<usize, fmt::Error> {
        write!(f, " ")?;
        match &line.shown {
            Shown::Span { span, .. } => {
                let ended_at = span.duration().map(|duration| span.started_at().plus(duration));
                let bar = self.scale.bar(span.started_at(), ended_at, span.status());
                write!(f, "{}", bar.blank)?;
                painter.paint(f, of_span(*span), &bar.filled)?;
                Ok(display_width(&bar.blank) + display_width(&bar.filled))
            }
            Shown::Sum { sum, .. } if self.statistics_in_bar => {
                let parts = sum.statistics(&self.statistics);
                parts.iter().try_for_each(|(paint, text)| painter.paint(f, *paint, text))?;
                Ok(width_of(&parts))
            }
            Shown::Sum { .. } | Shown::Log(_) | Shown::MoreLogs(_) => Ok(0),
        }
    }

    /// Returns the statistics of a sum if they need a line of their own.
    pub(super) fn statistics_beneath(&self, sum: &Sum<'_>) -> Option<Vec<(Paint, String)>> {
        (!self.statistics_in_bar).then(|| sum.statistics(&self.statistics)).filter(|parts| !parts.is_empty())
    }
}

/// Returns the stage's name, cut to leave room for the number of runs or the label.
fn name(line: &Line<'_>, room: usize) -> String {
    let times = line.times();
    let label = line.labels().last().map_or(0, |label| 1 + display_width(label)).min(room / 2);
    let kept = if label > LEAST_LABEL { label } else { 0 };
    let room = room.saturating_sub(kept + display_width(&times)).max(1);
    format!("{}{times}", fit(&line.stage(), room))
}

/// Returns the first label that fits, or the end of the last one.
fn fitting(labels: &[String], room: usize) -> Option<String> {
    let last = labels.last()?;
    let label = labels.iter().find(|label| display_width(label) <= room).unwrap_or(last);
    (room >= LEAST_LABEL.min(display_width(label)) && room > 0 && !label.is_empty())
        .then(|| fit_end(label, room).into_owned())
}

fn width_of(parts: &[(Paint, String)]) -> usize {
    parts.iter().map(|(_, text)| display_width(text)).sum()
}

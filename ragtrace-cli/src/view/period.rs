//! The time that a page is about, and the links that choose another.

use std::time::Duration;

use maud::{Markup, html};
use ragtrace::Timestamp;
use ragtrace_store::Window;

use super::list::AFTER;
use super::params::Params;
use super::problem::Problem;
use super::show;

/// The ages that a visitor can choose by one click.
const AGES: [&str; 5] = ["1h", "6h", "24h", "7d", "30d"];
/// The age that pages about a time begin with.
const DEFAULT: &str = "24h";

/// A time from one instant up to another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Period {
    pub(crate) since: Timestamp,
    pub(crate) until: Timestamp,
}

impl Period {
    /// Reads the period of a query: the last 24 hours, unless it says another.
    pub(crate) fn of(params: &Params) -> Result<Self, Problem> {
        let (since, until) = params.between()?;
        let until = until.unwrap_or_else(Timestamp::now);
        let since = since.unwrap_or_else(|| until.minus(Duration::from_hours(24)));
        if since >= until {
            return Err(Problem::bad("`since` has to be earlier than `until`, which is now unless it is given"));
        }
        Ok(Self { since, until })
    }

    pub(crate) fn window(self) -> Window {
        Window::new(self.since, self.until)
    }

    pub(crate) fn length(self) -> Duration {
        self.until.since(self.since)
    }

    /// Returns the period of the same length before this one.
    pub(crate) fn before(self) -> Self {
        Self { since: self.since.minus(self.length()), until: self.since }
    }

    /// Returns the length of a step if the period has so many, in whole minutes.
    pub(crate) fn step(self, steps: u32) -> Duration {
        let minutes = (self.length() / steps.max(1)).as_secs().div_ceil(60).max(1);
        // Steps begin at multiples of their length since 1970, so those that divide a day begin at
        // times that people know.
        let round = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1_440].into_iter().find(|round| *round >= minutes);
        Duration::from_mins(round.unwrap_or_else(|| minutes.div_ceil(1_440) * 1_440))
    }

    /// Returns the starts of the steps of this length that the period touches, at most 1,000.
    pub(crate) fn steps(self, step: Duration) -> Vec<Timestamp> {
        let length = i64::try_from(step.as_micros()).unwrap_or(i64::MAX).max(1);
        let first = self.since.as_micros().div_euclid(length) * length;
        let all = (0..1_000).map(|number| first.saturating_add(length.saturating_mul(number)));
        all.take_while(|from| *from < self.until.as_micros()).map(Timestamp::from_micros).collect()
    }

    /// Returns the period in words.
    pub(crate) fn words(self, params: &Params) -> Markup {
        match (params.get("since"), params.get("until")) {
            (None, None) => html! { "the last 24 hours" },
            (Some(age), None) if AGES.contains(&age) => html! { "the last " (age) },
            _ => html! { (show::time(self.since)) " to " (show::time(self.until)) " UTC" },
        }
    }
}

/// Returns the links that choose another period, on a page that begins with the last 24 hours.
pub(crate) fn chooser(params: &Params, path: &str) -> Markup {
    links(params, path, Some(DEFAULT))
}

/// Returns the links that choose a period, on a page that begins with all there is.
pub(crate) fn chooser_of_any(params: &Params, path: &str) -> Markup {
    links(params, path, None)
}

fn links(params: &Params, path: &str, default: Option<&str>) -> Markup {
    let chosen = if params.get("until").is_some() { None } else { params.get("since").or(default) };
    let without = params.without(&["since", "until", AFTER]);
    html! {
        nav.windows aria-label="Time" {
            @if default.is_none() {
                a href=(without.href(path)) aria-current=[(chosen.is_none() && params.get("until").is_none()).then_some("true")] { "any" }
            }
            @for age in AGES {
                a href=(without.with("since", Some(age)).href(path)) aria-current=[(chosen == Some(age)).then_some("true")] { (age) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn period(hours: u64) -> Period {
        let since = Timestamp::from_micros(1_795_335_611_000_000);
        Period { since, until: since.plus(Duration::from_hours(hours)) }
    }

    #[test]
    fn a_step_is_a_length_that_people_know() {
        for (hours, minutes) in [(1, 2), (6, 10), (24, 30), (168, 360), (720, 1_440), (24 * 365, 10_080 - 1_440)] {
            let step = period(hours).step(48);
            if hours < 1_000 {
                assert_eq!(step, Duration::from_mins(minutes), "{hours}");
            }
            let steps = period(hours).steps(step);
            assert!((24..=62).contains(&steps.len()), "{hours}: {}", steps.len());
            assert!(steps[0] <= period(hours).since && steps.iter().all(|from| *from < period(hours).until));
        }
        assert!(period(24 * 100_000).steps(Duration::from_mins(1)).len() == 1_000);
    }

    #[test]
    fn the_period_before_ends_where_this_one_begins() {
        let (one, before) = (period(6), period(6).before());
        assert_eq!((before.until, before.length()), (one.since, one.length()));
    }
}

//! Levels by target, such as `info,rag.ingestion=debug,hyper=warn`.

use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

use ragtrace_core::{Level, ParseError};

/// The level of targets that no directive matches, if no level stands alone.
const DEFAULT: Level = Level::Info;

/// A default level, and directives for individual targets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Levels {
    /// `None` excludes everything.
    default: Option<Level>,
    /// Directives with longer targets come first.
    directives: Vec<Directive>,
}

/// The level of a target and everything below it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Directive {
    target: Box<str>,
    level: Option<Level>,
}

impl Levels {
    /// Returns the least severe level that `target` has, or `None` if it is off.
    pub(crate) fn of_target(&self, target: &str) -> Option<Level> {
        self.directives.iter().find(|directive| directive.covers(target)).map_or(self.default, |found| found.level)
    }

    /// Returns the level if it is the same for all targets.
    fn of_all(&self) -> Option<Level> {
        if self.directives.is_empty() { self.default } else { None }
    }

    /// Returns the levels of all targets.
    fn each(&self) -> impl Iterator<Item = Option<Level>> {
        self.directives.iter().map(|directive| directive.level).chain([self.default])
    }

    /// Returns the levels in memory that lasts as long as the process. Equal levels are kept only
    /// once.
    fn interned(self) -> &'static Self {
        static KEPT: Mutex<Vec<&'static Levels>> = Mutex::new(Vec::new());
        let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(same) = kept.iter().find(|same| ***same == self) {
            return same;
        }
        let levels = Box::leak(Box::new(self));
        kept.push(levels);
        levels
    }
}

impl From<Level> for Levels {
    fn from(level: Level) -> Self {
        Self { default: Some(level), directives: Vec::new() }
    }
}

impl Default for Levels {
    fn default() -> Self {
        Self::from(DEFAULT)
    }
}

impl Directive {
    /// Returns `true` if `target` is the directive's target or is below it.
    fn covers(&self, target: &str) -> bool {
        target.strip_prefix(&*self.target).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', ':']))
    }
}

impl FromStr for Levels {
    type Err = ParseError;

    /// Parses a level, directives, or both, separated by commas. Of two directives with the same
    /// target, the last one counts.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let mut levels = Self::default();
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let mut is_empty = true;
        for part in parts {
            is_empty = false;
            match part.split_once('=') {
                None => levels.default = level(part).map_err(|()| ParseError::new(PART, part))?,
                Some((target, of_target)) => {
                    let target = target.trim();
                    if !is_target(target) {
                        return Err(ParseError::new(TARGET, part));
                    }
                    let level = level(of_target.trim()).map_err(|()| ParseError::new(LEVEL, part))?;
                    levels.directives.retain(|directive| *directive.target != *target);
                    levels.directives.push(Directive { target: target.into(), level });
                }
            }
        }
        if is_empty {
            return Err(ParseError::new(PART, text));
        }
        levels.directives.sort_by_key(|directive| std::cmp::Reverse(directive.target.len()));
        Ok(levels)
    }
}

const PART: &str = "a level (trace, debug, info, warn, error or off) or a directive (target=level)";
const LEVEL: &str = "a directive whose level is trace, debug, info, warn, error or off";
const TARGET: &str = "a directive whose target is a path, such as rag.ingestion=debug or hyper::client=warn";

fn level(text: &str) -> Result<Option<Level>, ()> {
    if text.eq_ignore_ascii_case("off") { Ok(None) } else { text.parse().map(Some).map_err(|_| ()) }
}

/// Returns `true` for segments that are separated by `::` or dots.
fn is_target(text: &str) -> bool {
    let is_segment = |segment: &str| {
        let is_foreign = |sign: char| sign.is_whitespace() || sign.is_control() || "[]{}\"':=".contains(sign);
        !segment.is_empty() && !segment.contains(is_foreign)
    };
    text.split("::").flat_map(|part| part.split('.')).all(is_segment)
}

/// The levels that a sink takes: one for all targets, and perhaps others for individual targets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LevelFilter {
    /// `None` if nothing is taken for its level alone.
    level: Option<Level>,
    by_target: Option<&'static Levels>,
}

impl LevelFilter {
    /// A number above that of every level.
    pub(crate) const ABOVE_ALL: u8 = Level::Error as u8 + 1;

    /// Returns a filter that takes everything that `self` or `other` takes.
    pub(crate) fn or(self, other: Self) -> Self {
        // All sinks without a level of their own share the builder's directives, so two different
        // ones never have to be joined.
        let by_target = self.by_target.or(other.by_target);
        Self { level: self.level.into_iter().chain(other.level).min(), by_target }
    }

    /// Returns `true` if the filter takes a record with this level and target.
    #[inline]
    pub(crate) fn takes<'a>(self, level: Level, target: impl FnOnce() -> &'a str) -> bool {
        self.level.is_some_and(|least| level >= least)
            || self.by_target.is_some_and(|levels| levels.of_target(target()).is_some_and(|least| level >= least))
    }

    /// Returns the least severe level, as a number, from which on everything is taken, whatever its
    /// target.
    pub(crate) fn certain(self) -> u8 {
        let number = |level: Option<Level>| level.map_or(Self::ABOVE_ALL, |level| level as u8);
        let by_target = self.by_target.map(|levels| levels.each().map(number).max().unwrap_or(Self::ABOVE_ALL));
        by_target.into_iter().chain([number(self.level)]).min().unwrap_or(Self::ABOVE_ALL)
    }

    /// Returns the least severe level that is taken for any target.
    #[cfg(any(feature = "tracing", test))]
    pub(crate) fn least(self) -> Option<Level> {
        let by_target = self.by_target.into_iter().flat_map(Levels::each).flatten();
        by_target.chain(self.level).min()
    }

    /// Returns `true` if the filter depends on the target.
    pub(crate) fn is_by_target(self) -> bool {
        self.by_target.is_some()
    }
}

impl From<Level> for LevelFilter {
    fn from(level: Level) -> Self {
        Self { level: Some(level), by_target: None }
    }
}

impl From<Levels> for LevelFilter {
    fn from(levels: Levels) -> Self {
        match levels.of_all() {
            Some(level) => Self::from(level),
            None => Self { level: None, by_target: Some(levels.interned()) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(text: &str) -> Levels {
        text.parse().unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn the_longest_target_that_covers_another_one_counts() {
        let levels = levels("warn, rag=info,rag.ingestion=debug ,rag.ingestion.ocr = off,hyper::client=TRACE");
        let expected = [
            ("rag", Some(Level::Info)),
            ("rag::chunks", Some(Level::Info)),
            ("rag.ingestion", Some(Level::Debug)),
            ("rag.ingestion::pdf", Some(Level::Debug)),
            ("rag.ingestion.ocr", None),
            ("rag.ingestion.ocr.pages", None),
            ("rag.ingestions", Some(Level::Info)),
            ("ragtime", Some(Level::Warn)),
            ("hyper", Some(Level::Warn)),
            ("hyper::client", Some(Level::Trace)),
            ("hyper::client::pool", Some(Level::Trace)),
            ("hyper::clients", Some(Level::Warn)),
            ("", Some(Level::Warn)),
        ];
        for (target, level) in expected {
            assert_eq!(levels.of_target(target), level, "{target}");
        }
    }

    #[test]
    fn what_is_said_twice_counts_as_it_was_said_last_and_commas_may_be_left_over() {
        assert_eq!(levels("info,a=warn,debug,a=trace,"), levels("a=trace,debug"));
        assert_eq!(levels("a=warn").of_target("b"), Some(Level::Info), "as without any setting");
        assert_eq!(levels("off").of_target("b"), None);
        assert_eq!(levels("critical"), Levels::from(Level::Error));
    }

    #[test]
    fn what_is_malformed_is_named_by_its_part() {
        let cases = [
            ("loud", PART, "loud"),
            ("", PART, ""),
            (" , ", PART, " , "),
            ("info,rag.ingestion=loud", LEVEL, "rag.ingestion=loud"),
            ("info,rag.ingestion=", LEVEL, "rag.ingestion="),
            ("a=b=info", LEVEL, "a=b=info"),
            ("info,=debug", TARGET, "=debug"),
            ("hyper::=debug", TARGET, "hyper::=debug"),
            ("hyper:client=debug", TARGET, "hyper:client=debug"),
            (".a=debug", TARGET, ".a=debug"),
            ("a b=debug", TARGET, "a b=debug"),
            ("rag[span{user=1}]=debug", TARGET, "rag[span{user=1}]=debug"),
            ("hyper,info", PART, "hyper"),
        ];
        for (text, expected, found) in cases {
            let error = text.parse::<Levels>().expect_err(text);
            assert_eq!(error.to_string(), format!("expected {expected}, found {found:?}"));
        }
    }

    #[test]
    fn a_filter_is_certain_of_what_it_takes_of_every_target() {
        let plain = LevelFilter::from(Level::Info);
        assert_eq!((plain.certain(), plain.least(), plain.is_by_target()), (2, Some(Level::Info), false));
        let by_target = LevelFilter::from(levels("info,a=debug,b=warn"));
        assert_eq!((by_target.certain(), by_target.least()), (3, Some(Level::Debug)));
        assert!(by_target.takes(Level::Debug, || "a::b") && !by_target.takes(Level::Info, || "b"));
        let both = by_target.or(plain);
        assert_eq!((both.certain(), both.least()), (2, Some(Level::Debug)));
        assert!(both.takes(Level::Info, || "b") && !both.takes(Level::Debug, || "b"));
        let none = LevelFilter::default();
        assert_eq!((none.certain(), none.least()), (LevelFilter::ABOVE_ALL, None));
        assert_eq!(LevelFilter::from(levels("off,a=off")).certain(), LevelFilter::ABOVE_ALL);
        assert_eq!(LevelFilter::from(levels("trace")), Level::Trace.into());
    }

    #[test]
    fn the_same_levels_are_kept_once() {
        let kept = || LevelFilter::from(levels("info,kept.once=debug")).by_target.expect("directives");
        assert!(std::ptr::eq(kept(), kept()));
    }
}

//! How a stage does, compared with the window before.

use std::time::Duration;

use ragtrace_store::StageStats;

/// The fewest runs in both windows from which on a change counts as a trend.
const RUNS: u64 = 10;
/// The change of the 95th percentile that counts as a trend, as a share. Percentiles are known to
/// one percent.
const SLOWER: f64 = 0.2;
/// The smallest change in time that counts as a trend.
const NOTICEABLE: Duration = Duration::from_millis(1);
/// The change of the rate of errors that counts as a trend, as a share of the runs.
const MORE_ERRORS: f64 = 0.01;

/// The trend of a stage. Those that need attention come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Trend {
    Slower,
    MoreErrors,
    Silent,
    New,
    Faster,
    FewerErrors,
    Steady,
}

impl Trend {
    /// Compares the numbers of a stage in two windows.
    pub(super) fn of(now: Option<&StageStats>, before: Option<&StageStats>) -> Self {
        let (now, before) = match (now, before) {
            (Some(now), Some(before)) => (now, before),
            (Some(_), None) => return Self::New,
            (None, _) => return Self::Silent,
        };
        if now.runs() < RUNS || before.runs() < RUNS {
            return Self::Steady;
        }
        let errors = now.error_rate() - before.error_rate();
        match p95_change(now, before) {
            Some(change) if change >= SLOWER && has_moved(now, before) => Self::Slower,
            _ if errors >= MORE_ERRORS => Self::MoreErrors,
            Some(change) if change <= -SLOWER && has_moved(now, before) => Self::Faster,
            _ if errors <= -MORE_ERRORS => Self::FewerErrors,
            _ => Self::Steady,
        }
    }

    /// Returns the trend's name in JSON.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Slower => "slower",
            Self::MoreErrors => "more_errors",
            Self::Silent => "silent",
            Self::New => "new",
            Self::Faster => "faster",
            Self::FewerErrors => "fewer_errors",
            Self::Steady => "steady",
        }
    }

    /// Returns the trend as a table shows it.
    pub(super) fn shown(self) -> &'static str {
        match self {
            Self::Slower => "▲ slower",
            Self::MoreErrors => "▲ errors",
            Self::Silent => "■ silent",
            Self::New => "+ new",
            Self::Faster => "▼ faster",
            Self::FewerErrors => "▼ errors",
            Self::Steady => "",
        }
    }
}

/// Returns the change of the 95th percentile as a share of the one before.
pub(super) fn p95_change(now: &StageStats, before: &StageStats) -> Option<f64> {
    let (now, before) = (now.quantile(0.95)?.as_secs_f64(), before.quantile(0.95)?.as_secs_f64());
    (before > 0.0).then_some(now / before - 1.0)
}

fn has_moved(now: &StageStats, before: &StageStats) -> bool {
    let p95 = |stats: &StageStats| stats.quantile(0.95).unwrap_or_default();
    p95(now).abs_diff(p95(before)) >= NOTICEABLE
}

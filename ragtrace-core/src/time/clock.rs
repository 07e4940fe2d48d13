//! The monotonic clock that stages read: the processor's time stamp counter where it is reliable,
//! otherwise the system's clock.
//!
//! On `x86_64` Linux, reading the time stamp counter is faster than `Instant::now`. The counter is
//! reliable as a clock if it runs at one rate on all cores in every power state. The kernel checks
//! this before it uses the counter as its own clock source. If it does, the worker measures the
//! counter's rate against the system's clock, and from then on readings come from the counter, on
//! the same nanosecond scale. The worker keeps comparing the two clocks. If they diverge, for
//! example after the machine was migrated or suspended, readings come from the system's clock for
//! the rest of the process's life.

#![cfg_attr(
    all(target_arch = "x86_64", target_os = "linux"),
    expect(unsafe_code, reason = "reads the time stamp counter, which takes one instruction")
)]

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The mode in which readings come from the system's clock, and the counter may still be measured.
const SYSTEM: u8 = 0;
/// The mode in which readings come from the counter.
const COUNTER: u8 = 1;
/// The mode in which readings come from the system's clock until the process ends.
const SYSTEM_FOR_GOOD: u8 = 2;

struct Counter {
    mode: AtomicU8,
    // Both are written once, before `mode` changes to `COUNTER`: a reader that sees the mode sees
    // them.
    /// The counter's value at the time of the process's first reading.
    origin: AtomicU64,
    /// Nanoseconds per count, as a fixed-point number with 32 fractional bits.
    rate: AtomicU64,
}

static COUNTED: Counter = Counter { mode: AtomicU8::new(SYSTEM), origin: AtomicU64::new(0), rate: AtomicU64::new(0) };

/// Returns the nanoseconds since the process's first reading.
#[inline]
pub(super) fn nanos() -> u64 {
    if COUNTED.mode.load(Ordering::Acquire) == COUNTER { COUNTED.nanos() } else { system_nanos() }
}

impl Counter {
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "64 bits of nanoseconds last for centuries")]
    fn nanos(&self) -> u64 {
        let counted = count().wrapping_sub(self.origin.load(Ordering::Relaxed));
        ((u128::from(counted) * u128::from(self.rate.load(Ordering::Relaxed))) >> 32) as u64
    }
}

#[cold]
#[inline(never)]
fn system_nanos() -> u64 {
    static FIRST: OnceLock<Instant> = OnceLock::new();
    let elapsed = FIRST.get_or_init(Instant::now).elapsed();
    u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX)
}

/// Measures the counter's rate, and checks the counter afterwards. The worker calls
/// [`Calibration::tick`] regularly.
#[derive(Debug)]
pub struct Calibration {
    first: Option<Pair>,
}

/// Readings of both clocks taken at one moment.
#[derive(Clone, Copy, Debug)]
struct Pair {
    count: u64,
    nanos: u64,
}

impl Calibration {
    /// The shortest time over which the rate is measured. It is long compared with the uncertainty
    /// of a [`Pair`].
    const BASELINE: Duration = Duration::from_millis(20);
    /// The difference between the clocks above which the counter is abandoned. A ten-thousandth of
    /// the elapsed time is added to it.
    const TOLERANCE: Duration = Duration::from_millis(5);

    /// Takes the first pair of readings if the counter can be used.
    pub fn begin() -> Self {
        let usable = COUNTED.mode.load(Ordering::Acquire) == SYSTEM && counter_is_sound();
        Self { first: usable.then(Pair::now) }
    }

    /// Switches to the counter once its rate is known, or away from it once it has diverged.
    pub fn tick(&self) {
        match COUNTED.mode.load(Ordering::Acquire) {
            SYSTEM => self.measure(),
            COUNTER => watch(),
            _ => {}
        }
    }

    fn measure(&self) {
        let Some(first) = self.first else { return };
        let now = Pair::now();
        let (nanos, counted) = (now.nanos.saturating_sub(first.nanos), now.count.wrapping_sub(first.count));
        if u128::from(nanos) < Self::BASELINE.as_nanos() || counted == 0 {
            return;
        }
        let rate = (u128::from(nanos) << 32) / u128::from(counted);
        // Between 100 MHz and 100 GHz. A counter with another rate is not a time stamp counter.
        let plausible = (1 << 32) / 100..=10 << 32;
        let Some(rate) = u64::try_from(rate).ok().filter(|rate| plausible.contains(rate)) else { return };
        let Ok(since_origin) = u64::try_from((u128::from(now.nanos) << 32) / u128::from(rate)) else { return };
        COUNTED.rate.store(rate, Ordering::Relaxed);
        COUNTED.origin.store(now.count.wrapping_sub(since_origin), Ordering::Relaxed);
        COUNTED.mode.store(COUNTER, Ordering::Release);
    }
}

fn watch() {
    let (counter, system) = (nanos(), system_nanos());
    if u128::from(counter.abs_diff(system)) > Calibration::TOLERANCE.as_nanos() + u128::from(system / 10_000) {
        COUNTED.mode.store(SYSTEM_FOR_GOOD, Ordering::Release);
    }
}

impl Pair {
    /// Takes the pair of readings that were closest together out of several, so that an
    /// interruption between two readings does no harm.
    fn now() -> Self {
        let one = || {
            let before = count();
            let nanos = system_nanos();
            let after = count();
            (after.wrapping_sub(before), Self { count: before.wrapping_add(after.wrapping_sub(before) / 2), nanos })
        };
        let tries = std::array::from_fn::<_, 8, _>(|_| one());
        tries.into_iter().min_by_key(|(width, _)| *width).map_or(Self { count: 0, nanos: 0 }, |(_, pair)| pair)
    }
}

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
#[inline]
fn count() -> u64 {
    // SAFETY: every x86_64 processor has the instruction, and Linux lets user code run it. A
    // process that disables it with `PR_SET_TSC` has asked for the resulting fault.
    unsafe { core::arch::x86_64::_rdtsc() }
}

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
fn counter_is_sound() -> bool {
    const SOURCE: &str = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    !cfg!(miri) && std::fs::read_to_string(SOURCE).is_ok_and(|source| source.trim() == "tsc")
}

#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
fn count() -> u64 {
    0
}

#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
fn counter_is_sound() -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counter_agrees_with_the_system_once_it_is_measured() {
        let calibration = Calibration::begin();
        let begin = Instant::now();
        while begin.elapsed() < Calibration::BASELINE * 2 {
            calibration.tick();
        }
        let (counter, system) = (nanos(), system_nanos());
        assert!(counter.abs_diff(system) < 1_000_000, "{counter} and {system} are a millisecond apart");
        let later = nanos();
        assert!(later >= counter);
    }
}

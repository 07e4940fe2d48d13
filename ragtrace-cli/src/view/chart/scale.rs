//! Scales: from a value to a place in a chart.

/// A scale of amounts from zero to a round number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Linear {
    pub(super) top: f64,
}

impl Linear {
    /// Returns a scale that ends at the next number with one digit that is not zero.
    pub(super) fn to(largest: f64) -> Self {
        if !largest.is_finite() || largest <= 0.0 {
            return Self { top: 1.0 };
        }
        let power = 10_f64.powf(largest.log10().floor());
        let step =
            [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0].into_iter().find(|step| step * power >= largest * (1.0 - 1e-9));
        Self { top: step.unwrap_or(10.0) * power }
    }

    /// Returns the part of the height from 0 to 1.
    pub(super) fn part(self, value: f64) -> f64 {
        (value / self.top).clamp(0.0, 1.0)
    }
}

/// A logarithmic scale between two powers of ten, for durations that differ by orders of magnitude.
#[derive(Clone, Copy, Debug)]
pub(super) struct Logarithmic {
    pub(super) bottom: f64,
    pub(super) top: f64,
}

impl Logarithmic {
    pub(super) fn between(least: f64, largest: f64) -> Self {
        let (least, largest) = (least.clamp(1e-9, 1e12), largest.clamp(1e-9, 1e12));
        let (bottom, top) = (10_f64.powf(least.log10().floor()), 10_f64.powf(largest.log10().ceil()));
        Self { bottom, top: if top > bottom { top } else { bottom * 10.0 } }
    }

    pub(super) fn part(self, value: f64) -> f64 {
        ((value.max(1e-9) / self.bottom).log10() / (self.top / self.bottom).log10()).clamp(0.0, 1.0)
    }

    /// Returns the powers of ten from the bottom to the top.
    pub(super) fn powers(self) -> impl Iterator<Item = f64> {
        let steps = (self.top / self.bottom).log10().round().clamp(1.0, 21.0);
        (0..=21_i32)
            .map(f64::from)
            .take_while(move |step| *step <= steps)
            .map(move |step| self.bottom * 10_f64.powf(step))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_ends_at_a_round_number() {
        for (largest, top) in
            [(0.0, 1.0), (1.0, 1.0), (1.1, 2.0), (3.0, 3.0), (7.0, 8.0), (128.0, 200.0), (1_000.0, 1_000.0)]
        {
            assert!((Linear::to(largest).top - top).abs() < 1e-9, "{largest}");
        }
        for odd in [f64::NAN, f64::INFINITY, -1.0] {
            assert!((Linear::to(odd).top - 1.0).abs() < 1e-9 && (0.0..=1.0).contains(&Linear::to(odd).part(5.0)));
        }
    }

    #[test]
    fn powers_of_ten_are_as_far_apart_as_one_another() {
        let scale = Logarithmic::between(0.004, 2.0);
        assert_eq!(scale.powers().count(), 5);
        assert!((scale.part(0.1) - 0.5).abs() < 1e-9 && scale.part(0.0) < 1e-9 && scale.part(1e9) > 1.0 - 1e-9);
        let same = Logarithmic::between(1.0, 1.0);
        assert!((0.0..=1.0).contains(&same.part(1.0)) && same.powers().count() == 2);
    }
}

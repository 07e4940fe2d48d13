//! Fields with a fixed type: `count` is an integer, `cost_usd` a float.

/// A value that can be recorded as `count`: an integer, or an option of one. A negative number is
/// left out.
#[diagnostic::on_unimplemented(
    message = "`count` is the number of items and must be an integer, not `{Self}`",
    label = "not an integer",
    note = "choose another field name for a number of another kind"
)]
pub trait CountValue {
    /// Returns the number of items.
    fn items(self) -> Option<u64>;
}

/// A value that can be recorded as `cost_usd`: a float, or an option of one.
#[diagnostic::on_unimplemented(
    message = "`cost_usd` is an amount in US dollars and must be a float, not `{Self}`",
    label = "not a float",
    note = "choose another field name for an amount of another kind"
)]
pub trait CostValue {
    /// Returns the amount in US dollars.
    fn usd(self) -> Option<f64>;
}

macro_rules! counts {
    ($($type:ty),*) => {$(
        impl CountValue for $type {
            fn items(self) -> Option<u64> {
                u64::try_from(self).ok()
            }
        }

        impl CountValue for &$type {
            fn items(self) -> Option<u64> {
                u64::try_from(*self).ok()
            }
        }
    )*};
}

counts!(u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize);

impl<T: CountValue> CountValue for Option<T> {
    fn items(self) -> Option<u64> {
        self.and_then(T::items)
    }
}

macro_rules! costs {
    ($($type:ty),*) => {$(
        impl CostValue for $type {
            fn usd(self) -> Option<f64> {
                Some(f64::from(self))
            }
        }

        impl CostValue for &$type {
            fn usd(self) -> Option<f64> {
                Some(f64::from(*self))
            }
        }
    )*};
}

costs!(f32, f64);

impl<T: CostValue> CostValue for Option<T> {
    fn usd(self) -> Option<f64> {
        self.and_then(T::usd)
    }
}

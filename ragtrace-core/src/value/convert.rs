//! Conversions into values, and comparisons with them.

use std::borrow::Cow;

use super::{ToValue, Value};

macro_rules! conversions {
    ($($type:ty),*) => {$(
        impl From<$type> for Value {
            fn from(value: $type) -> Self {
                value.to_value()
            }
        }
    )*};
}

conversions! { bool, u8, u16, u32, u64, usize, i8, i16, i32, i64, isize, u128, i128, f32, f64, char, &str, &String }

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<Cow<'static, str>> for Value {
    fn from(text: Cow<'static, str>) -> Self {
        Self::Text(text)
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    /// Converts `None` to [`Value::Null`].
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

macro_rules! comparisons {
    ($($type:ty => |$value:ident, $other:ident| $equal:expr;)*) => {$(
        impl PartialEq<$type> for Value {
            fn eq(&self, $other: &$type) -> bool {
                let $value = self;
                $equal
            }
        }

        impl PartialEq<Value> for $type {
            fn eq(&self, value: &Value) -> bool {
                value == self
            }
        }
    )*};
}

comparisons! {
    bool => |value, other| matches!(value, Value::Bool(value) if value == other);
    str => |value, other| value.as_str() == Some(other);
    &str => |value, other| value.as_str() == Some(*other);
    String => |value, other| value.as_str() == Some(other);
    u8 => |value, other| value.whole() == Some((*other).into());
    u16 => |value, other| value.whole() == Some((*other).into());
    u32 => |value, other| value.whole() == Some((*other).into());
    u64 => |value, other| value.whole() == Some((*other).into());
    usize => |value, other| value.whole() == Some(*other as i128);
    i8 => |value, other| value.whole() == Some((*other).into());
    i16 => |value, other| value.whole() == Some((*other).into());
    i32 => |value, other| value.whole() == Some((*other).into());
    i64 => |value, other| value.whole() == Some((*other).into());
    isize => |value, other| value.whole() == Some(*other as i128);
    f32 => |value, other| value.as_f64() == Some((*other).into());
    f64 => |value, other| value.as_f64() == Some(*other);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_equals_what_it_was_made_of_and_nothing_else() {
        assert_eq!(Value::from("text"), "text");
        assert_eq!("text", Value::from("text".to_owned()));
        assert_eq!(Value::from(true), true);
        assert_ne!(Value::from(true), 1);
        assert_eq!(Value::from(u64::MAX), u64::MAX);
        assert_eq!(Value::from(-1_i64), -1_i32);
        assert_ne!(Value::from(u64::MAX), -1_i64, "the bits are the same");
        assert_eq!(Value::from(7_i8), 7_usize);
        assert_ne!(Value::from(f64::NAN), f64::NAN);
        assert_eq!(Value::from(None::<u64>), Value::Null);
        assert_eq!(Value::from(Some("x")), "x");
    }

    #[test]
    fn a_value_is_made_of_a_number_of_any_type_and_compares_with_it() {
        let seven = Value::from(7_u64);
        assert!(seven == 7_u8 && seven == 7_u16 && seven == 7_u32 && seven == 7_u64 && seven == 7_usize);
        assert!(seven == 7_i8 && seven == 7_i16 && seven == 7_i32 && seven == 7_i64 && seven == 7_isize);
        assert!(7_u8 == seven && 7_isize == seven && seven == 7_f32 && seven == 7.0_f64);
        let below_zero = Value::from(-1_isize);
        assert!(below_zero == -1_i8 && below_zero == -1_i16 && below_zero != u8::MAX && below_zero != u16::MAX);
        assert_eq!(Value::from(0.5_f32), 0.5_f32);
        assert_ne!(Value::from(0.1_f64), 0.1_f32, "the `f32` is another number");
        assert_eq!(Value::from(7_u128), 7_u8);
        assert_eq!(Value::from(-7_i128), -7_i8);
        assert_eq!(Value::from('ü'), "ü");
    }
}

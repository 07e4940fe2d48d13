//! The families of context headers that a request has.
//!
//! A request has headers of one family or none, and there are a dozen names: one pass over the
//! request's headers costs less than a lookup of each name.

use http::HeaderMap;

/// A set of header families, one bit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Families(u8);

impl Families {
    pub(super) const W3C: Self = Self(1);
    pub(super) const DATADOG: Self = Self(1 << 1);
    pub(super) const B3: Self = Self(1 << 2);
    pub(super) const TRACE_ID: Self = Self(1 << 3);
    pub(super) const REQUEST_ID: Self = Self(1 << 4);
    pub(super) const LANGSMITH: Self = Self(1 << 5);
    pub(super) const BAGGAGE: Self = Self(1 << 6);
    pub(super) const TRACESTATE: Self = Self(1 << 7);
    const NONE: Self = Self(0);

    /// Returns the families of which at least one header is present.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        headers.keys().fold(Self::NONE, |families, name| Self(families.0 | Self::of_name(name.as_str()).0))
    }

    /// Returns `true` if a header of this family is present.
    pub(super) const fn has(self, family: Self) -> bool {
        self.0 & family.0 != 0
    }

    fn of_name(name: &str) -> Self {
        match name {
            "traceparent" => Self::W3C,
            "tracestate" => Self::TRACESTATE,
            "b3" => Self::B3,
            "x-trace-id" => Self::TRACE_ID,
            "x-request-id" => Self::REQUEST_ID,
            "langsmith-trace" => Self::LANGSMITH,
            "baggage" => Self::BAGGAGE,
            _ if name.starts_with("x-datadog-") => Self::DATADOG,
            _ if name.starts_with("x-b3-") => Self::B3,
            _ => Self::NONE,
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::super::names;
    use super::*;

    #[test]
    fn every_header_that_is_read_is_of_a_family() {
        let families = [
            (&names::TRACEPARENT, Families::W3C),
            (&names::TRACESTATE, Families::TRACESTATE),
            (&names::DATADOG_TRACE_ID, Families::DATADOG),
            (&names::B3, Families::B3),
            (&names::B3_TRACE_ID, Families::B3),
            (&names::B3_SAMPLED, Families::B3),
            (&names::B3_FLAGS, Families::B3),
            (&names::X_TRACE_ID, Families::TRACE_ID),
            (&names::X_REQUEST_ID, Families::REQUEST_ID),
            (&names::LANGSMITH_TRACE, Families::LANGSMITH),
            (&names::BAGGAGE, Families::BAGGAGE),
        ];
        for (name, family) in families {
            let headers = HeaderMap::from_iter([(name.clone(), HeaderValue::from_static("1"))]);
            assert_eq!(Families::of(&headers), family, "{name}");
        }
        let others = ["host", "x-trace", "x-forwarded-for", "x-b", "b"];
        let others = others.map(|name| (http::HeaderName::from_static(name), HeaderValue::from_static("1")));
        assert_eq!(Families::of(&HeaderMap::from_iter(others)), Families::NONE);
    }
}

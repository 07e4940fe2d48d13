//! The query of a request: filters, the position of a page, the format.

use std::fmt::Write;
use std::str::FromStr;
use std::time::Duration;

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use ragtrace::Timestamp;

use super::problem::Problem;
use crate::arguments::time;

/// The longest value, in bytes.
const VALUE: usize = 1 << 10;
/// The largest number of parameters.
const PARAMETERS: usize = 64;

/// The parameters of a query, in order. An empty value counts as absent, since a form sends every
/// field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    /// Reads the query of an address, without its question mark.
    pub(crate) fn of(query: &str) -> Result<Self, Problem> {
        let uri = format!("/?{query}").parse().map_err(|_| Problem::bad("the query of the address is malformed"))?;
        Self::parse(&uri)
    }

    fn parse(uri: &axum::http::Uri) -> Result<Self, Problem> {
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri)
            .map_err(|_| Problem::bad("the query of the address is malformed"))?;
        let pairs: Vec<_> = pairs.into_iter().filter(|(_, value)| !value.trim().is_empty()).collect();
        if pairs.len() > PARAMETERS {
            return Err(Problem::bad(format!("the query has more than {PARAMETERS} parameters")));
        }
        match pairs.iter().find(|(name, value)| value.len() > VALUE || name.len() > VALUE) {
            Some((name, _)) if name.len() > VALUE => Err(Problem::bad("the name of a parameter is longer than 1 KiB")),
            Some((name, _)) => Err(Problem::bad(format!("the value of `{name}` is longer than 1 KiB"))),
            None => Ok(Self(pairs)),
        }
    }

    /// Returns the last value of a parameter, as a form that has it twice means it.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// Returns the last value of a parameter, parsed.
    pub(crate) fn parsed<T: FromStr>(&self, name: &str, form: &str) -> Result<Option<T>, Problem> {
        let bad = |_| Problem::bad(format!("`{name}` cannot be read: give {form}"));
        self.get(name).map(|value| value.trim().parse().map_err(bad)).transpose()
    }

    /// Returns the value of a parameter as an instant: an age such as `24h`, or a time.
    pub(crate) fn time(&self, name: &str) -> Result<Option<Timestamp>, Problem> {
        let bad = |why| Problem::bad(format!("`{name}` cannot be read: {why}"));
        self.get(name).map(|text| time::parse(text.trim()).map_err(bad)).transpose()
    }

    /// Returns the values of `since` and `until`, of which the first has to be earlier.
    pub(crate) fn between(&self) -> Result<(Option<Timestamp>, Option<Timestamp>), Problem> {
        let (since, until) = (self.time("since")?, self.time("until")?);
        match (since, until) {
            (Some(since), Some(until)) if since >= until => Err(Problem::bad("`since` has to be earlier than `until`")),
            _ => Ok((since, until)),
        }
    }

    /// Returns the value of a parameter as a duration, such as `250ms`, `1.5s` or `2m`.
    pub(crate) fn duration(&self, name: &str) -> Result<Option<Duration>, Problem> {
        let bad = || Problem::bad(format!("`{name}` cannot be read: give a duration such as 250ms, 1.5s or 2m"));
        self.get(name).map(|text| duration(text.trim()).ok_or_else(bad)).transpose()
    }

    /// Returns the number of rows to show, at most `most`.
    pub(crate) fn limit(&self, default: usize, most: usize) -> Result<usize, Problem> {
        let given = self.parsed("limit", &format!("a whole number from 1 to {most}"))?;
        Ok(given.unwrap_or(default).clamp(1, most))
    }

    /// Returns the same parameters with another value, or without one. A value that is too long for
    /// a query is left out.
    #[must_use]
    pub(crate) fn with(&self, name: &str, value: Option<&str>) -> Self {
        let value = value.filter(|value| value.len() <= VALUE);
        let others = self.0.iter().filter(|(given, _)| given != name).cloned();
        Self(others.chain(value.map(|value| (name.to_owned(), value.to_owned()))).collect())
    }

    /// Returns the parameters that are not of these names.
    #[must_use]
    pub(crate) fn without(&self, names: &[&str]) -> Self {
        Self(self.0.iter().filter(|(name, _)| !names.contains(&name.as_str())).cloned().collect())
    }

    /// Returns the address of `path` with these parameters.
    pub(crate) fn href(&self, path: &str) -> String {
        let mut href = path.to_owned();
        for (at, (name, value)) in self.0.iter().enumerate() {
            href.push(if at == 0 { '?' } else { '&' });
            encode(name, &mut href);
            href.push('=');
            encode(value, &mut href);
        }
        href
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl<S: Sync> FromRequestParts<S> for Params {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::parse(&parts.uri)
    }
}

/// Appends a text, percent-encoded for a path segment or a query (RFC 3986, section 2.3).
pub(crate) fn encode(text: &str, into: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            into.push(char::from(byte));
        } else {
            let _ = write!(into, "%{byte:02X}");
        }
    }
}

/// Returns a text, percent-encoded for a path segment or a query.
pub(crate) fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    encode(text, &mut encoded);
    encoded
}

/// Parses a duration, in milliseconds if it has no unit.
fn duration(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let number: f64 = text[..digits].parse().ok()?;
    let seconds = match text[digits..].trim() {
        "us" | "µs" => 1e-6,
        "" | "ms" => 1e-3,
        "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3_600.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(number * seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(query: &str) -> Params {
        Params::parse(&format!("/?{query}").parse().expect("an address")).expect("a query")
    }

    #[test]
    fn a_query_is_read_and_written_back() {
        let query = params("user=a%26b+c&status=&field=doc.name%3D%C3%BC&user=last");
        assert_eq!((query.get("user"), query.get("status")), (Some("last"), None));
        assert_eq!(query.with("user", Some("x&y")).href("/"), "/?field=doc.name%3D%C3%BC&user=x%26y");
        assert_eq!(query.without(&["user", "field"]).href("/"), "/");
        assert_eq!(params(&query.href("").replace('?', "")), query);
    }

    #[test]
    fn what_is_too_long_or_too_much_is_refused() {
        let parse = |query: String| Params::parse(&format!("/?{query}").parse().expect("an address"));
        assert!(parse(format!("user={}", "x".repeat(1_024))).is_ok());
        assert!(parse(format!("user={}", "x".repeat(1_025))).is_err());
        assert!(parse(format!("{}=1", "x".repeat(1_025))).is_err());
        assert!(parse("a=1&".repeat(65)).is_err());
        assert!(params("limit=0").limit(50, 500) == Ok(1) && params("limit=9999").limit(50, 500) == Ok(500));
        for limit in ["-1", "x", "1.5", "99999999999999999999999"] {
            assert!(params(&format!("limit={limit}")).limit(50, 500).is_err(), "{limit}");
        }
    }

    #[test]
    fn a_duration_has_a_unit() {
        for (text, millis) in [("250", 250), ("250ms", 250), ("1.5s", 1_500), ("2m", 120_000), ("1 h", 3_600_000)] {
            assert_eq!(duration(text), Some(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "s", "-1s", "1e9s", "1.2.3s", "1d", "99999999999999999999999999h", "NaN", "١s"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }
}

//! Parses pairs of keys and values in the form of OpenTelemetry's variables.

/// A key and its value.
pub(crate) type Pair = (String, String);

/// Parses pairs in the form of `OTEL_RESOURCE_ATTRIBUTES` and the variables of headers:
/// `key=value`, separated by commas, with percent-encoded values. The error says what is wrong, and
/// shows no value.
pub(crate) fn parse_pairs(text: &str) -> Result<Vec<Pair>, String> {
    let pair = |member: &str| {
        let (key, value) =
            member.split_once('=').ok_or_else(|| "expected `key=value` pairs with commas between them".to_owned())?;
        let (key, value) = (decoded(key)?, decoded(value)?);
        if key.is_empty() {
            return Err("a pair has no key: expected `key=value`".to_owned());
        }
        Ok((key, value))
    };
    text.split(',').map(str::trim).filter(|member| !member.is_empty()).map(pair).collect()
}

fn decoded(text: &str) -> Result<String, String> {
    let bytes: Vec<u8> = percent_encoding::percent_decode_str(text.trim()).collect();
    String::from_utf8(bytes).map_err(|_| "a pair is not UTF-8 after percent-decoding".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_separated_by_commas_and_percent_decoded() {
        let pairs = parse_pairs(" a=1, key%20b = two%2C%20three ,, c==").expect("pairs");
        let of = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(pairs, [of("a", "1"), of("key b", "two, three"), of("c", "=")]);
        assert_eq!(parse_pairs(""), Ok(Vec::new()));
    }

    #[test]
    fn what_is_no_pair_is_refused_without_showing_a_value() {
        for text in ["hunter2", "a=1,hunter2", "=hunter2", "a=%ffhunter2"] {
            let error = parse_pairs(text).expect_err(text);
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}

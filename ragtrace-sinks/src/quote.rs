//! Values that are of no use, as an error may quote them.

/// Characters of a word that can hardly be a secret: keys that backends give out are longer.
const LONGEST: usize = 24;

/// Returns a value in quotation marks, or only how long it is where it may be a secret that was put
/// into the wrong setting: if it is long, or has signs of URLs and headers.
pub(crate) fn quoted(text: &str) -> String {
    let number = text.chars().count();
    if number <= LONGEST && !text.contains(['@', ':', '=']) {
        return format!("{text:?}");
    }
    format!("a text of {number} characters (not shown: it may be a secret)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_word_is_quoted_and_what_may_be_a_secret_is_counted() {
        for (text, shown) in [("zstd", "\"zstd\""), ("", "\"\""), ("99999999999999999999", "\"99999999999999999999\"")]
        {
            assert_eq!(quoted(text), shown);
        }
        for secret in
            ["postgres://u:p@h", "me:p", "key=x", "0123456789abcdef0123456789abcdef", "lsv2_pt_0123456789abcdef01"]
        {
            assert_eq!(
                quoted(secret),
                format!("a text of {} characters (not shown: it may be a secret)", secret.len())
            );
        }
    }
}

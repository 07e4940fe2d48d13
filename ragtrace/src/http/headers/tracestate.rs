//! The `tracestate` header (W3C Trace Context level 2, section 3.3): data of other vendors about a
//! trace, which is sent on as received.

use http::HeaderMap;

use super::names::TRACESTATE;
use super::value;

/// The maximum number of members (section 3.3.1.1). A longer list is malformed.
const MOST_MEMBERS: usize = 32;
/// The maximum length that is kept, in characters, which is the least that has to be (section
/// 3.3.1.5).
const MOST_CHARACTERS: usize = 512;
/// The length above which members are removed first if not all can be kept (section 3.3.1.5).
const LONG: usize = 128;
/// The maximum length of a key, and of a value, in characters (sections 3.3.1.3.1 and 3.3.1.3.2).
const MOST_OF_EITHER: usize = 256;

/// Returns the members of all lines of the header, joined by commas, or `None` if there are none.
/// One malformed member invalidates all.
pub(super) fn read(headers: &HeaderMap) -> Option<String> {
    joined(value::members(headers, &TRACESTATE))
}

fn joined<'a>(members: impl Iterator<Item = &'a [u8]>) -> Option<String> {
    let mut kept = Vec::new();
    for member in members {
        if kept.len() == MOST_MEMBERS {
            return None;
        }
        kept.push(valid(member)?);
    }
    shorten(&mut kept);
    Some(kept.join(",")).filter(|joined| !joined.is_empty())
}

/// Removes whole members until the rest may be kept.
fn shorten(members: &mut Vec<&str>) {
    let mut length = members.iter().map(|member| member.len() + 1).sum::<usize>().saturating_sub(1);
    while length > MOST_CHARACTERS {
        let last_long = members.iter().rposition(|member| member.len() > LONG);
        let Some(at) = last_long.or_else(|| members.len().checked_sub(1)) else { break };
        length = length.saturating_sub(members.remove(at).len() + 1);
    }
}

/// Returns a member if it is well-formed: a key and a value that is not empty.
fn valid(member: &[u8]) -> Option<&str> {
    let member = str::from_utf8(member).ok()?;
    let (key, value) = member.split_once('=')?;
    let is_key = key.starts_with(|first: char| first.is_ascii_lowercase() || first.is_ascii_digit())
        && key.len() <= MOST_OF_EITHER
        && key.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'*' | b'/' | b'@'));
    let is_value = !value.is_empty()
        && value.len() <= MOST_OF_EITHER
        && value.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'=');
    (is_key && is_value).then_some(member)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read_all(lines: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(&TRACESTATE, line.parse().expect("a header's value"));
        }
        read(&headers)
    }

    #[test]
    fn all_lines_make_one_list_in_their_order() {
        assert_eq!(
            read_all(&["foo=1,bar=2", "", "rojo=1 , \t congo=2", "baz=3"]).as_deref(),
            Some("foo=1,bar=2,rojo=1,congo=2,baz=3")
        );
        assert_eq!(read_all(&["", " , ,"]), None);
        let every = format!("0_-*/@z={}", (' '..='~').filter(|c| !matches!(c, ',' | '=')).collect::<String>());
        assert_eq!(read_all(&[&every]).as_deref(), Some(every.trim_end()));
    }

    #[test]
    fn one_malformed_member_has_all_dropped() {
        let long = "k".repeat(257);
        for malformed in [
            "foo",
            "=1",
            "foo=",
            "FOO=1",
            "foo =1",
            "foo.bar=1",
            "@foo=1",
            "foo=bar=baz",
            "foo=\u{7f}",
            "föö=1",
            &format!("{long}=1"),
            &format!("k={long}"),
        ] {
            let members = ["good=1", malformed, "bar=2"].map(str::as_bytes);
            assert_eq!(joined(members.into_iter()), None, "{malformed:?}");
        }
        for bytes in [&b"a=\r"[..], b"a=b\nc", b"a=\0", b"a=\xff", b"\0=a"] {
            assert_eq!(joined([bytes].into_iter()), None);
        }
    }

    #[test]
    fn there_are_32_members_at_most() {
        let of = |count: usize| (0..count).map(|n| format!("k{n}={n}")).collect::<Vec<_>>().join(",");
        assert_eq!(read_all(&[&of(32)]), Some(of(32)));
        assert_eq!(read_all(&[&of(33)]), None);
        assert_eq!(read_all(&[&of(20), &of(13)]), None);
    }

    #[test]
    fn what_is_beyond_512_characters_goes_by_whole_members_the_long_ones_first() {
        let member = |key: &str, length: usize| format!("{key}={}", "v".repeat(length - key.len() - 1));
        let exact = [member("a", 255), member("b", 256)].join(",");
        assert_eq!((exact.len(), read_all(&[&exact])), (512, Some(exact)));
        let (a, b, c, d) = (member("a", 128), member("b", 200), member("c", 128), member("d", 128));
        assert_eq!(read_all(&[&[&*a, &b, &c, &d].join(",")]), Some([&*a, &c, &d].join(",")));
        let short = ["a", "b", "c", "d"].map(|key| member(key, 128)).join(",");
        assert_eq!(read_all(&[&short]).as_deref(), Some(&short[..128 * 3 + 2]));
    }

    proptest! {
        #[test]
        fn what_is_kept_is_well_formed_and_of_bounded_length(lines in proptest::collection::vec(
            proptest::collection::vec(prop_oneof![any::<u8>(), proptest::sample::select(&b"ab01=,@ "[..])], 0..300), 0..6,
        )) {
            let members = lines.iter().flat_map(|line| line.split(|byte| *byte == b',')).map(value::trimmed);
            if let Some(kept) = joined(members.filter(|member| !member.is_empty())) {
                prop_assert!(kept.len() <= MOST_CHARACTERS);
                prop_assert!(kept.split(',').all(|member| valid(member.as_bytes()).is_some()));
            }
        }
    }
}

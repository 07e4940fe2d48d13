//! The `baggage` header (W3C Baggage, sections 3.2 and 3.3), which carries key-value pairs along
//! with a request.

use http::HeaderMap;
use percent_encoding::{AsciiSet, CONTROLS, percent_decode, utf8_percent_encode};

use super::names::BAGGAGE;
use super::value;
use crate::RequestContext;

/// The number of members, and the bytes of all members and the commas between them, that have to be
/// propagated (section 3.3.2, "Limits").
const MOST_MEMBERS: usize = 64;
const MOST_BYTES: usize = 8_192;
/// The length of a key of one character and the equals sign.
const SHORTEST_MEMBER: usize = 2;
/// The characters that are percent-encoded in a value (section 3.3.1.3).
const ENCODED: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'%').add(b',').add(b';').add(b'\\');

/// A member as a context stores it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) name: String,
    /// The decoded value.
    pub(super) value: String,
    /// The properties as received, without the semicolon before the first; empty if there are none.
    pub(super) properties: String,
}

/// Returns the members of all lines of the header. Malformed members are left out, and so are whole
/// members beyond the limits.
pub(super) fn read(headers: &HeaderMap) -> impl Iterator<Item = Member> {
    let mut left = Left::whole();
    // Members are checked before they are copied, and the search stops when no further member can
    // fit.
    let members = value::members(headers, &BAGGAGE).map_while(move |member| {
        let has_room = left.has_room_for(SHORTEST_MEMBER);
        has_room.then(|| {
            let member = Some(member).filter(|member| left.has_room_for(member.len()))?;
            let parsed = parse(member)?;
            left.take(member.len());
            Some(parsed)
        })
    });
    members.flatten()
}

/// Returns the baggage of a context as the value of a header, or `None` if there is nothing to
/// send. Keys that are not tokens of HTTP cannot be sent. The application's own members come first,
/// so that a caller cannot displace them.
pub(crate) fn to_value(context: &RequestContext) -> Option<String> {
    let members =
        context.baggage_members().filter(|(name, ..)| is_token(name.as_bytes())).map(|(name, value, properties)| {
            let mut member = format!("{name}={}", utf8_percent_encode(value, ENCODED));
            if !properties.is_empty() {
                member.extend([";", properties]);
            }
            member
        });
    let mut left = Left::whole();
    let members: Vec<_> = members
        .filter(|member| {
            let has_room = left.has_room_for(member.len());
            if has_room {
                left.take(member.len());
            }
            has_room
        })
        .collect();
    (!members.is_empty()).then(|| members.join(","))
}

/// The remaining part of the limits.
struct Left {
    members: usize,
    /// The remaining bytes, with a comma counted for each member, so one more than there will be.
    bytes: usize,
}

impl Left {
    fn whole() -> Self {
        Self { members: MOST_MEMBERS, bytes: MOST_BYTES + 1 }
    }

    fn has_room_for(&self, length: usize) -> bool {
        self.members > 0 && length < self.bytes
    }

    fn take(&mut self, length: usize) {
        self.members = self.members.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(length + 1);
    }
}

fn parse(member: &[u8]) -> Option<Member> {
    let is_text = member.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\t'));
    let (name, rest) = split_once(member, b'=').filter(|_| is_text)?;
    let (value, properties) = split_once(rest, b';').unwrap_or((rest, b""));
    let (name, value) = (value::trimmed(name), value::trimmed(value));
    (is_token(name) && !value.contains(&b'\t')).then(|| Member {
        name: text(name),
        value: percent_decode(value).decode_utf8_lossy().into_owned(),
        properties: text(value::trimmed(properties)),
    })
}

/// Returns bytes that are known to be ASCII as text.
fn text(ascii: &[u8]) -> String {
    String::from_utf8_lossy(ascii).into_owned()
}

fn split_once(bytes: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let at = bytes.iter().position(|byte| *byte == at)?;
    Some((&bytes[..at], &bytes[at + 1..]))
}

/// Returns `true` for a token (RFC 9110, section 5.6.2).
fn is_token(name: &[u8]) -> bool {
    let is_sign = |byte: &u8| b"!#$%&'*+-.^_`|~".contains(byte);
    !name.is_empty() && name.iter().all(|byte| byte.is_ascii_alphanumeric() || is_sign(byte))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_member_with_a_byte_that_no_header_may_have_is_none() {
        assert!(parse(b"user=alice;p=1").is_some());
        for byte in [b'\r', b'\n', 0, 0x1b, 0x7f, 0x80, 0xff] {
            for at in [0, 2, 7, 11, 13] {
                let mut member = *b"user=alice;p=1";
                member[at] = byte;
                assert_eq!(parse(&member), None, "{byte:#x} at {at}");
            }
        }
    }

    #[test]
    fn properties_stay_as_they_came() {
        let member = parse(b" a = b ; c;d=e\t ").expect("a member");
        assert_eq!((&*member.name, &*member.value, &*member.properties), ("a", "b", "c;d=e"));
    }

    proptest! {
        #[test]
        fn what_is_sent_reads_as_it_was(items in proptest::collection::btree_map("[a-z*|]{1,8}", ".{0,40}", 0..40)) {
            let context = items.iter().fold(RequestContext::new(), |context, (name, value)| context.with_baggage(name, value));
            let sent = to_value(&context).unwrap_or_default();
            prop_assert!(sent.bytes().all(|byte| (b'!'..=b'~').contains(&byte)), "{}", sent);
            let mut headers = HeaderMap::new();
            headers.insert(&BAGGAGE, sent.parse().expect("a header's value"));
            let read: Vec<_> = read(&headers).map(|member| (member.name, member.value)).collect();
            let is_whole = sent.len() < MOST_BYTES - 200;
            prop_assert!(!is_whole || read.len() == items.len());
            prop_assert!(read.iter().all(|(name, value)| items.get(name) == Some(value)));
        }
    }
}

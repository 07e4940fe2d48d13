//! Passwords in URLs: `scheme://user:password@host` (RFC 3986, section 3.2.1), even if the password
//! contains characters that should have been encoded.

use std::ops::Range;

/// The length from which on a user without a password is a token.
const TOKEN: usize = 16;

/// The number of bytes of a URL that are examined.
const MAX_URL: usize = 2048;

/// Finds the password in a URL, after its `://` at `from`.
pub(super) fn password(bytes: &[u8], from: usize) -> Option<Range<usize>> {
    let rest = &bytes[from..bytes.len().min(from + MAX_URL)];
    // Most URLs have a host with nothing before it.
    let host = rest.iter().position(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'.' | b'-' | b'_'))?;
    if rest[host] == b'/' && HOOK_HOSTS.contains(&&rest[..host]) {
        return hook(&rest[host..]).map(|range| from + host + range.start..from + host + range.end);
    }
    if matches!(rest[host], b'/' | b'?' | b'#' | b' ' | b'"' | b')') {
        return None;
    }
    let is_next = |at: usize| rest[at] == b':' && rest[at..].starts_with(b"://");
    let mut length = (0..rest.len()).find(|at| ends(rest[*at]) || is_next(*at)).unwrap_or(rest.len());
    // In a list, another URL may follow.
    if length < rest.len() && !ends(rest[length]) {
        length = rest[..length].iter().rposition(|byte| !byte.is_ascii_alphanumeric() && *byte != b'+').unwrap_or(0);
    }
    let rest = &rest[..length];
    let last_at = host_sign(rest)?;
    let user_info = &rest[..last_at];
    let Some(colon) = user_info.iter().position(|byte| *byte == b':') else {
        let is_token = last_at >= TOKEN && !user_info.iter().any(|byte| b"/?#'".contains(byte));
        return is_token.then_some(from..from + last_at);
    };
    let (user, password) = (&user_info[..colon], &user_info[colon + 1..]);
    if user.iter().any(|byte| b"/?#'([{".contains(byte)) || password.is_empty() || is_variable(password) {
        return None;
    }
    // A port, followed by an at sign in the path.
    let port = password.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let is_web = bytes[..from].ends_with(b"http://") || bytes[..from].ends_with(b"https://");
    let is_port = (1..=5).contains(&port)
        && matches!(password.get(port), Some(b'/' | b'?' | b'#'))
        && (is_web || user.contains(&b'.'));
    (!is_port).then_some(from + colon + 1..from + last_at)
}

/// Hosts of services that authenticate callers by a secret in the path.
const HOOK_HOSTS: [&[u8]; 5] =
    [b"hooks.slack.com", b"discord.com", b"discordapp.com", b"api.telegram.org", b"hooks.zapier.com"];

/// Finds the secret in the path of a webhook or a bot: its last long segment.
#[cold]
fn hook(path: &[u8]) -> Option<Range<usize>> {
    const SHORTEST: usize = 16;
    let beginnings: [&[u8]; 4] = [b"/services/", b"/api/webhooks/", b"/bot", b"/hooks/catch/"];
    let mut start = beginnings.iter().find(|beginning| path.starts_with(beginning))?.len();
    let length =
        path[start..].iter().take_while(|byte| byte.is_ascii_alphanumeric() || b"_-/:.".contains(byte)).count();
    let end = start + length;
    for segment in path[start..end].split(|byte| matches!(byte, b'/' | b':')) {
        if segment.len() >= SHORTEST && !segment.iter().all(u8::is_ascii_digit) {
            return Some(start..start + segment.len());
        }
        start += segment.len() + 1;
    }
    None
}

fn ends(byte: u8) -> bool {
    matches!(byte, b'\t'..=b' ' | b'"' | b'<' | b'>' | b'`' | b'\\')
}

/// Returns the at sign before the host: the last one that a host can follow, except those in a
/// query.
fn host_sign(rest: &[u8]) -> Option<usize> {
    let mut found = None;
    let mut query = rest.len();
    for (at, byte) in rest.iter().enumerate() {
        match byte {
            b'?' if found.is_some() && query == rest.len() && rest[at..].contains(&b'=') => query = at,
            b'@' if at < query && begins_host(&rest[at + 1..]) => found = Some(at),
            _ => {}
        }
    }
    found
}

fn begins_host(rest: &[u8]) -> bool {
    rest.first()
        .is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'[' | b'_' | b'/' | b'{' | b'$' | 0x80..))
}

fn is_variable(password: &[u8]) -> bool {
    let password = std::str::from_utf8(password).unwrap_or_default();
    super::value::is_placeholder(password) || password.bytes().all(|byte| byte == b'*')
}

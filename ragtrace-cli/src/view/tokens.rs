//! The tokens with which visitors sign in.
//!
//! A token is a line of a file, `TOKEN` or `TOKEN ROLE`. Without a role it reads everything that
//! the store's own connection reads; with one it reads as that role of PostgreSQL. Only hashes of
//! tokens are kept, so a token cannot get into a message by mistake.

use std::fmt::Write;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::output::{Failure, tell};

/// The fewest characters of a token. As random hex digits, 16 are 64 bits.
const SHORTEST: usize = 16;
/// The most characters of a token.
const LONGEST: usize = 512;
/// The largest file of tokens, in bytes.
const FILE: u64 = 1 << 20;

/// The hash of a secret. Hashes are compared in constant time.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Hash([u8; 32]);

impl Hash {
    pub(super) fn of(secret: &str) -> Self {
        Self(Sha256::digest(secret.as_bytes()).into())
    }

    pub(super) fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

/// The tokens that are accepted.
pub(crate) struct Tokens(Vec<Token>);

struct Token {
    hash: Hash,
    role: Option<Arc<str>>,
    line: usize,
}

impl Tokens {
    /// Reads a file of tokens.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let shown = path.display();
        let unread = |error: std::io::Error| Failure::new(format!("the tokens in `{shown}` cannot be read: {error}"));
        let mut file = File::open(path).map_err(unread)?;
        check_access(path, &file.metadata().map_err(unread)?)?;
        let mut text = String::new();
        file.by_ref().take(FILE + 1).read_to_string(&mut text).map_err(unread)?;
        if text.len() as u64 > FILE {
            return Err(Failure::new(format!("`{shown}` is larger than 1 MiB: give a file of tokens, one a line")));
        }
        Self::parse(&text).map_err(|why| Failure::new(format!("`{shown}`: {why}")))
    }

    /// Makes one random token, and returns it in plain text too.
    pub(crate) fn generate() -> Result<(Self, String), Failure> {
        let token = random().map_err(|error| Failure::new(format!("no random token could be made: {error}")))?;
        Ok((Self(vec![Token { hash: Hash::of(&token), role: None, line: 0 }]), token))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let mut tokens: Vec<Token> = Vec::new();
        for (line, text) in (1..).zip(text.lines()) {
            if text.trim().is_empty() || text.trim_start().starts_with('#') {
                continue;
            }
            let mut words = text.split_whitespace();
            let (token, role) = (words.next().unwrap_or_default(), words.next());
            if words.next().is_some() {
                return Err(format!("line {line} has more than a token and a role"));
            }
            check(token).map_err(|why| format!("the token in line {line} {why}"))?;
            let hash = Hash::of(token);
            if let Some(before) = tokens.iter().find(|before| before.hash == hash) {
                return Err(format!("line {line} repeats the token of line {}", before.line));
            }
            tokens.push(Token { hash, role: role.map(Arc::from), line });
        }
        if tokens.is_empty() {
            return Err("it has no tokens: write one a line, such as the output of `openssl rand -hex 32`".to_owned());
        }
        Ok(Self(tokens))
    }

    /// Returns the line of the first token that has a role.
    pub(crate) fn line_with_role(&self) -> Option<usize> {
        self.0.iter().find(|token| token.role.is_some()).map(|token| token.line)
    }

    /// Returns the roles, each once.
    pub(crate) fn roles(&self) -> Vec<Arc<str>> {
        let mut roles: Vec<_> = self.0.iter().filter_map(|token| token.role.clone()).collect();
        roles.sort();
        roles.dedup();
        roles
    }

    /// Returns the role of a token, which may be none, or `None` if the token is not known. The
    /// token is compared with all, so the time tells nothing about them.
    #[expect(clippy::option_option, reason = "a known token without a role is not an unknown token")]
    pub(super) fn role_of(&self, given: &str) -> Option<Option<Arc<str>>> {
        let given = Hash::of(given);
        self.0.iter().fold(None, |found, token| if token.hash.is(&given) { Some(token.role.clone()) } else { found })
    }
}

/// Checks that a token is long enough, and passes through a header.
fn check(token: &str) -> Result<(), &'static str> {
    match token.chars().count() {
        short if short < SHORTEST => Err("has less than 16 characters: make one with `openssl rand -hex 32`"),
        long if long > LONGEST => Err("has more than 512 characters"),
        _ if !token.bytes().all(|b| b.is_ascii_graphic()) => Err("has characters other than printable ASCII"),
        _ => Ok(()),
    }
}

/// Returns 64 random hex digits.
pub(super) fn random() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    }))
}

/// Refuses a file that other users of the machine can read, and warns of one that its group can.
#[cfg(unix)]
fn check_access(path: &Path, metadata: &std::fs::Metadata) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt;
    let (mode, shown) = (metadata.permissions().mode(), path.display());
    if mode & 0o007 != 0 {
        return Err(Failure::new(format!("other users can read the tokens in `{shown}`: run `chmod 600 {shown}`")));
    }
    if mode & 0o070 != 0 {
        tell(format_args!("warning: the group of `{shown}` can read the tokens in it"));
    }
    Ok(())
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "other systems can refuse")]
fn check_access(_path: &Path, _metadata: &std::fs::Metadata) -> Result<(), Failure> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_token_and_perhaps_a_role() {
        let text = "# of the team\n0123456789abcdef\n\n  fedcba9876543210\tacme_dashboard \r\n";
        let tokens = Tokens::parse(text).map_err(|why| panic!("{why}")).expect("tokens");
        assert_eq!(tokens.role_of("0123456789abcdef"), Some(None));
        assert_eq!(tokens.role_of("fedcba9876543210"), Some(Some("acme_dashboard".into())));
        assert_eq!(tokens.line_with_role(), Some(4));
        for unknown in ["", "0123456789abcdeF", "0123456789abcde", "fedcba9876543210 acme_dashboard", "# of the team"] {
            assert_eq!(tokens.role_of(unknown), None, "{unknown:?}");
        }
    }

    #[test]
    fn a_file_that_cannot_be_meant_is_refused_without_its_tokens() {
        let twice = "0123456789abcdef\n0123456789abcdef acme";
        let long = "x".repeat(LONGEST + 1);
        for (text, why) in [
            ("", "no tokens"),
            ("# only a comment", "no tokens"),
            ("secret", "line 1 has less than 16 characters"),
            ("0123456789abcdef acme globex", "line 1 has more than a token and a role"),
            (twice, "line 2 repeats the token of line 1"),
            ("0123456789abcdéfg", "other than printable ASCII"),
            (&long, "more than 512"),
        ] {
            let Err(message) = Tokens::parse(text) else { panic!("{text} is read") };
            assert!(message.contains(why), "{message}");
            assert!(!message.contains("secret") && !message.contains("0123"), "{message}");
        }
    }

    #[test]
    fn a_generated_token_is_the_only_one() {
        let (tokens, token) = Tokens::generate().expect("randomness");
        assert_eq!((tokens.role_of(&token), token.len()), (Some(None), 64));
        assert_ne!(token, Tokens::generate().expect("randomness").1);
        assert_eq!(tokens.role_of(""), None);
    }
}

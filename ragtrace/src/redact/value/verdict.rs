//! Decides whether a value is a secret, or words about one, code, or nothing.

use std::ops::Range;

use super::site::{Reading, Sign, Site};
use crate::redact::rules::MARK;
use crate::redact::secret_names::{self, Certainty};

/// The form in which a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Quoted,
    SingleQuoted,
    /// Its end is missing.
    Cut,
    Brackets,
    /// The argument of a function, in code.
    Call,
    /// An indented block.
    Block,
    Plain,
    /// Without quotes, and the whole of a line.
    Line,
}

/// The authentication schemes of the header `Authorization`, which precede the credential.
const SCHEMES: &[&str] = &["bearer", "basic", "digest", "token", "apikey", "negotiate", "ntlm", "hawk", "oauth", "key"];

/// Words that stand for no value.
const NOTHING: &[&str] = &[
    "null",
    "none",
    "nil",
    "undefined",
    "true",
    "false",
    "()",
    "sensitive",
    "<null>",
    "~",
    "n/a",
    "notgiven",
    "not_given",
];

/// Unquoted words in place of a value that say something about it.
const REMARKS: &[&str] = &[
    "required",
    "optional",
    "missing",
    "invalid",
    "wrong",
    "empty",
    "incorrect",
    "expired",
    "hidden",
    "changed",
    "ok",
    "set",
    "unset",
    "given",
    "unknown",
    "any",
    "string",
    "str",
    "text",
    "number",
    "integer",
    "int",
    "bool",
    "boolean",
    "object",
    "array",
    "bytes",
    "char",
    "varchar",
    "yes",
    "no",
    "on",
    "off",
    "inherit",
    "needed",
    "disabled",
    "enabled",
    "failed",
    "mandatory",
    "protected",
    "private",
    "encrypted",
    "rotated",
    "refreshed",
    "accepted",
    "rejected",
    "present",
    "absent",
    "configured",
    "valid",
    "not",
    "new",
    "await",
    "vec",
    "option",
    "self",
    "this",
    "fn",
    "impl",
    "dyn",
    "type",
    "secretstring",
    "unexpected",
    "expected",
    "found",
    "add",
    "added",
    "fix",
    "fixed",
    "support",
    "supported",
    "remove",
    "removed",
    "parse",
    "update",
    "updated",
    "deprecated",
    "default",
    "password",
    "token",
    "secret",
];

/// Words that make a sentence.
const FUNCTION_WORDS: &[&str] = &[
    "the", "a", "an", "is", "are", "was", "were", "be", "been", "must", "should", "may", "can", "will", "of", "to",
    "in", "on", "for", "with", "by", "from", "as", "at", "or", "and", "but", "not", "no", "if", "when", "where",
    "which", "that", "this", "these", "your", "you", "it", "its", "we", "our", "they", "their", "has", "have", "had",
    "does", "do", "did", "contains", "here", "there", "please", "see", "use", "using", "used", "enter", "than", "then",
    "only", "into", "via", "now", "how",
];

/// Judges the value at `range`.
pub(super) fn reading(text: &str, range: Range<usize>, site: &Site, form: Form) -> Reading {
    let read_to = range.end;
    // Of the names that are also words of prose, only a token is often an object in code.
    let is_token = text[site.name_start..].get(..5).is_some_and(|name| name.eq_ignore_ascii_case("token"));
    let is_list = form == Form::Block && text[range.clone()].starts_with("- ");
    let is_object = matches!(form, Form::Brackets | Form::Block) && site.certainty == Certainty::Ambiguous;
    let certainty = if is_object && !is_token && !is_list { Certainty::Certain } else { site.certainty };
    // A list under `cookies` may be about food.
    let certainty = if is_list && certainty == Certainty::Header { Certainty::Ambiguous } else { certainty };
    match secret_in(&text[range.clone()], &Site { certainty, ..*site }, form) {
        Some(length) if length > 0 => Reading { secret: Some(range.start..range.start + length), read_to },
        _ => Reading::nothing(read_to),
    }
}

/// Returns the length of the secret at the beginning of a value, or `None` if there is none.
fn secret_in(value: &str, site: &Site, form: Form) -> Option<usize> {
    if value.trim().is_empty() || value == MARK || says_nothing(value) || is_placeholder(value) || is_constant(value) {
        return None;
    }
    if site.certainty == Certainty::Header && is_scheme_of_none(value) {
        return None;
    }
    let is_sure = site.certainty != Certainty::Ambiguous;
    let is_secret = match form {
        Form::Quoted | Form::Cut => {
            let is_argument = matches!(site.sign, Sign::Comma | Sign::Space) && !is_sure;
            !value.eq_ignore_ascii_case("string") && (!is_argument || looks_secret(value))
        }
        Form::SingleQuoted => {
            is_sure && !is_argument_of_prose(value, site) || site.sign == Sign::Equals || looks_secret(value)
        }
        Form::Call => looks_secret(value) && !is_identifier(value),
        Form::Brackets if is_sure && value.contains('"') => true,
        Form::Brackets | Form::Block if is_sure => !is_sentence(value) && !is_remark(value) && !is_code(value, site),
        Form::Brackets | Form::Block => {
            value.split([' ', ',', '"', '\n', ':', '=']).any(looks_secret) || is_numbers(value)
        }
        Form::Plain | Form::Line => return plain_secret(value, site, form),
    };
    is_secret.then_some(value.len())
}

fn is_argument_of_prose(value: &str, site: &Site) -> bool {
    site.sign == Sign::Space && value.len() < 4
}

/// Returns the length of the secret at the beginning of an unquoted value.
fn plain_secret(value: &str, site: &Site, form: Form) -> Option<usize> {
    let first_end = value.find([' ', '\t']).unwrap_or(value.len());
    let first = &value[..first_end];
    let names_scheme = site.certainty == Certainty::Header && is_scheme(first) && first_end < value.len();
    if !names_scheme && (is_code(first, site) || says_nothing(first.trim_end_matches([',', ';', '.']))) {
        return None;
    }
    if site.certainty == Certainty::Header {
        let is_header = names_scheme && (!is_sentence(value) || value[first_end..].split(' ').any(looks_secret))
            || value.contains('=') && !is_sentence(first);
        if is_header || first_end == value.len() && !is_remark(first) {
            return Some(if names_scheme { scheme_end(value, first_end) } else { value.len() });
        }
    }
    if first_end < value.len() {
        if looks_secret(first) {
            return Some(if is_sentence(&value[first_end..]) { first_end } else { value.len() });
        }
        let is_words = is_sentence(value) || is_remark(first);
        return (!is_words && site.certainty == Certainty::Certain).then_some(value.len());
    }
    if is_remark(first) || FUNCTION_WORDS.contains(&first) {
        return None;
    }
    let is_number = first.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let is_sure = match (site.certainty, site.sign) {
        (Certainty::Certain, Sign::Space) => looks_secret(first) || !is_word(first),
        (Certainty::Certain, _) => true,
        (_, Sign::Equals) => !is_number || first.len() > 5,
        _ => false,
    };
    let is_secret = is_sure
        || looks_secret(first)
        || form == Form::Line && first.len() > 7 && !is_word(first) && !is_test(first) && !is_number;
    is_secret.then_some(value.len())
}

/// Returns the end of the credential after a scheme, which for `Bearer` and `Basic` is one word.
fn scheme_end(value: &str, first_end: usize) -> usize {
    let scheme = &value[..first_end];
    if !["bearer", "basic", "token", "apikey", "negotiate", "ntlm", "key"]
        .iter()
        .any(|one| scheme.eq_ignore_ascii_case(one))
    {
        return value.len();
    }
    let start = first_end + value[first_end..].len() - value[first_end..].trim_start().len();
    let word = value[start..].find([' ', '\t']).map_or(value.len(), |end| start + end);
    let rest = value[start..word].trim_end_matches([',', ';', ')']);
    if is_sentence(&value[word..]) { start + rest.len() } else { value.len() }
}

/// Returns `true` if the value is a scheme with no credential, or with a word that stands for none.
fn is_scheme_of_none(value: &str) -> bool {
    let (scheme, rest) = value.split_once(' ').unwrap_or((value, ""));
    let rest = rest.trim_matches([' ', '"', '\'', '`']);
    is_scheme(scheme) && (rest.is_empty() || is_placeholder(rest) || is_constant(rest))
}

/// Returns `true` if a word is a scheme of the header `Authorization`.
pub(super) fn is_scheme(word: &str) -> bool {
    SCHEMES.iter().any(|scheme| word.eq_ignore_ascii_case(scheme))
        || word.starts_with("AWS4-")
        || word.starts_with("SCRAM-")
}

/// Returns `true` if a value stands for none, or was already redacted.
fn says_nothing(value: &str) -> bool {
    const MOST: usize = 80;
    let is_mask = |byte: u8| matches!(byte, b'*' | b'.' | b'-' | b'_' | b'x' | b'X' | b'#' | b'=' | b'?' | b' ');
    if NOTHING.iter().any(|nothing| value.eq_ignore_ascii_case(nothing)) {
        return true;
    }
    let is_shown = value.len() < 3 && value.bytes().any(|byte| byte.is_ascii_alphanumeric());
    if value.bytes().all(is_mask) && !is_shown || value.chars().all(|c| matches!(c, '•' | '…' | '█' | '●')) {
        return true;
    }
    if value.len() > MOST {
        return false;
    }
    let lower = value.to_ascii_lowercase();
    let is_marked = |word: &str| {
        lower.find(word).is_some_and(|at| {
            let (before, after) = (&value[..at], &value[at + word.len()..]);
            before.ends_with(['[', '<', '(', '*', '{']) && after.contains([']', '>', ')', '*', '}'])
        })
    };
    ["redacted", "filtered", "masked", "hidden", "secret", "removed", "scrubbed"].iter().any(|word| is_marked(word))
        || matches!(lower.as_str(), "redacted" | "filtered" | "masked")
}

/// Returns `true` if a value is a placeholder for another one.
pub(in super::super) fn is_placeholder(value: &str) -> bool {
    let is_name = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-. :/|'\"".contains(&byte));
    let within = |open: &str, close: &str| value.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
    if within("${", "}").or_else(|| within("{{", "}}")).or_else(|| within("$(", ")")).is_some() {
        return true;
    }
    let has_digit = value.bytes().any(|byte| byte.is_ascii_digit());
    let enclosed =
        within("<", ">").or_else(|| within("{", "}")).or_else(|| within("%", "%")).or_else(|| within("[", "]"));
    if enclosed.is_some_and(|name| is_name(name) && !has_digit) {
        return true;
    }
    let is_variable = |name: &str| {
        !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && (name.bytes().all(|byte| !byte.is_ascii_lowercase()) || name.bytes().all(|byte| !byte.is_ascii_digit()))
    };
    if value.strip_prefix('$').is_some_and(is_variable) && (!has_digit || value.contains('_') || value.len() < 4) {
        return true;
    }
    let lower = value.get(..4).unwrap_or_default().to_ascii_lowercase();
    lower == "your" && !has_digit || matches!(value, "%s" | "%v" | "%d" | "{:?}" | "{}" | "...")
}

/// Returns `true` if the members of an object form a schema that describes the type of a value:
/// `{"type": "string", "minLength": 8}`.
pub(super) fn is_schema(members: &str) -> bool {
    const MOST: usize = 512;
    const TYPES: &[&str] = &["string", "object", "array", "integer", "number", "boolean"];
    const VALUES: &[&str] = &["value", "default", "example", "examples", "const", "enum", "secret"];
    let near = &members[..members.floor_char_boundary(MOST)];
    let mut words = near.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| !word.is_empty());
    let mut is_typed = false;
    while let Some(word) = words.next() {
        if VALUES.contains(&word) {
            return false;
        }
        if word == "type" {
            is_typed |= words.next().is_some_and(|word| TYPES.contains(&word));
        }
    }
    is_typed && near.len() == members.len()
}

/// Returns `true` if a word looks like a secret and not like a word of a language.
fn looks_secret(word: &str) -> bool {
    let word =
        word.trim_matches(|c: char| matches!(c, ',' | '.' | ';' | ':' | '(' | ')' | '"' | '\'' | '`' | '[' | ']'));
    if word.contains("://") || word.contains("::") || word == MARK {
        return false;
    }
    let (mut digits, mut changes, mut last, mut cases) = (0, 0, 0, 0);
    for byte in word.bytes() {
        let kind = match byte {
            b'0'..=b'9' => 1,
            b'a'..=b'z' => 2,
            b'A'..=b'Z' => 3,
            _ => 0,
        };
        digits += usize::from(kind == 1);
        changes += usize::from(kind != last && kind * last != 0 && (kind == 1 || last == 1));
        cases += usize::from(kind == 3 && last == 2);
        last = kind;
    }
    let has_letters = digits < word.len() && word.bytes().any(|byte| byte.is_ascii_alphabetic());
    let has_signs = word.bytes().any(|byte| b"!@#$%^&*+=~?".contains(&byte));
    has_letters && (digits > 0 && word.len() >= 7 || changes > 1 && word.len() >= 6)
        || has_letters && has_signs && word.len() >= 6 && !word.contains('(') && (digits > 0 || cases > 0)
        || digits >= 8 && digits == word.len()
        || cases > 3 && word.len() >= 16
        || word.len() >= 32 && word.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Returns `true` if several words form a sentence.
fn is_sentence(value: &str) -> bool {
    let mut words =
        value.split_ascii_whitespace().take(16).map(|word| word.trim_matches(|c: char| !c.is_ascii_alphabetic()));
    words.any(|word| FUNCTION_WORDS.iter().any(|function| word.eq_ignore_ascii_case(function)))
        && value.split_ascii_whitespace().nth(1).is_some()
}

fn is_remark(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    REMARKS.iter().any(|remark| word.eq_ignore_ascii_case(remark))
}

/// Returns `true` if this is a word of prose: letters, the first of which may be a capital.
fn is_word(word: &str) -> bool {
    let word = word.trim_end_matches(['.', ',', ':', ';', '!', '?', ')']);
    let rest = word.get(1..).unwrap_or_default();
    word.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic())
        && rest.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-' || byte == b'\'')
}

/// Returns `true` if this is the name of a variable that holds a secret, such as `DB_PASSWORD`.
fn is_constant(value: &str) -> bool {
    value.contains('_')
        && value.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
        && secret_names::is_known(value)
}

/// Returns `true` if these are lower-case words joined by underscores, like the names of tests.
fn is_test(word: &str) -> bool {
    word.contains('_') && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

fn is_identifier(value: &str) -> bool {
    value.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
        && secret_names::is_known(value)
}

fn is_numbers(value: &str) -> bool {
    value.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_whitespace() || byte == b',')
        && value.matches(',').count() > 5
}

/// Returns `true` if a word is a type in code, with or without an argument.
pub(super) fn is_type(word: &str) -> bool {
    let bare = word.trim_start_matches(['&', '*', '?']).trim_end_matches([',', ';', ')', '?', '}']);
    let is_path =
        |path: &str| path.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':' | b'.'));
    let generic = bare.strip_suffix('>').and_then(|rest| rest.split_once('<'));
    if let Some((outer, inner)) = generic {
        return outer.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic())
            && is_path(outer)
            && inner.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_:<>, &'[]".contains(&byte));
    }
    matches!(
        bare,
        "str" | "String" | "string" | "bytes" | "Bytes" | "any" | "SecretString" | "[u8]" | "[]byte" | "Text"
    ) || bare.starts_with("Option<")
        || bare.starts_with("Vec<")
}

/// Returns `true` if a word is an expression in code whose value is elsewhere.
fn is_code(word: &str, site: &Site) -> bool {
    if is_type(word) || word.starts_with("&'") || word.starts_with("=>") || word.starts_with("->") {
        return true;
    }
    let bare = word.trim_start_matches(['&', '*', '!', '$']).trim_end_matches([',', ';', ')', '}', '?']);
    let path = bare.split(['(', '[']).next().unwrap_or_default();
    let is_path = !path.is_empty()
        && path
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':' | b'.' | b'-' | b'>' | b'!'))
        && path.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    if !is_path {
        return false;
    }
    let is_call = bare[path.len()..].starts_with('(') && word.trim_end_matches([',', ';', '?', '}']).ends_with(')');
    let has_parts = path.contains(['.', '_']) || path.contains("::") || path.contains("->");
    let last = path.rsplit(['.', ':', '>']).next().unwrap_or_default();
    let has_digit = path.bytes().any(|byte| byte.is_ascii_digit());
    let begins_in_code =
        ["self.", "this.", "args.", "config.", "cfg.", "env.", "process.env", "os.environ", "secrets.", "var."];
    is_call && (!has_digit || has_parts)
        || path.contains("::") && !has_digit
        || begins_in_code.iter().any(|begin| path.starts_with(begin))
        || has_parts && !has_digit && secret_names::is_known(last)
        || has_parts && !has_digit && last == "value" && path.split(['.', '>']).any(secret_names::is_known)
        || matches!(site.sign, Sign::Colon | Sign::Space)
            && !has_digit
            && secret_names::is_known(path)
            && path.len() < 12
}

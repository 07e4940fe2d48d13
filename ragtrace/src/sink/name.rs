//! The rule for names of sinks.

/// The maximum length of a name, in bytes.
const LONGEST: usize = 64;

/// Returns a description of what is wrong with `name`, or `None` if a sink may have it.
pub(crate) fn fault_of_name(name: &str) -> Option<String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let is_valid = !name.is_empty() && name.len() <= LONGEST && name.chars().all(is_plain);
    (!is_valid).then(|| {
        format!(
            "the name {name:?} has to consist of 1 to {LONGEST} ASCII letters, digits, dots, dashes and underscores"
        )
    })
}

//! Writes tokens and cost in the form in which LangSmith adds them up.

use ragtrace::__json::Object;

use crate::spans::Usage;

/// Writes the members of `usage_metadata`. If the tokens of only one side are given, those of the
/// other side are zero, since LangSmith wants all three counts.
pub(super) fn write_usage(mut object: Object<'_>, usage: &Usage) {
    if let Some(total) = usage.total_tokens() {
        object.unsigned("input_tokens", usage.input_tokens.unwrap_or(0));
        object.unsigned("output_tokens", usage.output_tokens.unwrap_or(0));
        object.unsigned("total_tokens", total);
    }
    let details = [("cache_read", usage.cached_tokens), ("cache_creation", usage.cache_write_tokens)];
    write_details(&mut object, "input_token_details", &details);
    write_details(&mut object, "output_token_details", &[("reasoning", usage.reasoning_tokens)]);
    if let Some(cost) = usage.cost_usd {
        object.float("total_cost", cost);
    }
    object.close();
}

fn write_details(object: &mut Object<'_>, name: &'static str, details: &[(&'static str, Option<u64>)]) {
    if details.iter().all(|(_, tokens)| tokens.is_none()) {
        return;
    }
    let mut nested = object.nested(name);
    for (name, tokens) in details {
        if let Some(tokens) = tokens {
            nested.unsigned(name, *tokens);
        }
    }
    nested.close();
}

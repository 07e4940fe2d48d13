//! Errors of the same kind in one row: of one stage and type, and with messages that differ in
//! numbers, ids and quoted texts alone.

use maud::{Markup, html};
use ragtrace_store::ErrorGroup;

use super::filter::PATH;
use crate::view::list::{self, AFTER};
use crate::view::params::Params;
use crate::view::show;

/// The largest number of groups that are shown.
const GROUPS: usize = 500;

pub(super) fn table(groups: &[ErrorGroup], params: &Params) -> Markup {
    let largest = groups.iter().map(ErrorGroup::count).max().unwrap_or(0);
    html! {
        div.table {
            table {
                caption.aside-text { "Kinds of errors, most frequent first" }
                thead {
                    tr {
                        th.number scope="col" { "Errors" } th.optional scope="col" { span.aside-text { "Errors as a bar" } }
                        th.number scope="col" { "Users" } th scope="col" { "Stage" } th scope="col" { "Error" }
                        th scope="col" { "First seen (UTC)" } th scope="col" { "Last seen (UTC)" } th scope="col" { "Newest trace" }
                    }
                }
                tbody { @for group in groups.iter().take(GROUPS) { (line(group, largest, params)) } }
            }
        }
        @if groups.len() > GROUPS { p.muted { "and " (show::count((groups.len() - GROUPS) as u64)) " rarer kinds, in the JSON" } }
    }
}

#[expect(clippy::cast_precision_loss, reason = "the length of a bar")]
fn line(group: &ErrorGroup, largest: u64, params: &Params) -> Markup {
    html! {
        tr {
            td.number { a.row data-row href=(rows(group, params)) title="Show these errors one by one" { (show::count(group.count())) } }
            td.optional.with-bar { (show::bar(group.count() as f64, largest as f64, "failed")) }
            td.number { (show::count(group.users())) }
            td.cut { @match group.stage() { Some(stage) => (list::only(params, PATH, ("stage", stage), 60)), None => (show::absent()) } }
            td.message { @if let Some(name) = group.error_type() { b { (show::short(name, 80)) } ": " } (show::text(group.message(), 240)) }
            td { (show::time(group.first_seen())) }
            td { (show::time(group.last_seen())) }
            td { @match group.example() { Some(id) => (show::trace_link(id, None)), None => (show::absent()) } }
        }
    }
}

/// Returns the address of a group's errors, one by one: those of its stage that contain the longest
/// part of its message that is the same in all of them.
fn rows(group: &ErrorGroup, params: &Params) -> String {
    let rows = params.without(&[AFTER, "text"]).with("view", Some("rows"));
    let rows = if group.stage().is_some() { rows.with("stage", group.stage()) } else { rows };
    let common = common(group.message()).or(group.error_type());
    rows.with("text", common).href(PATH)
}

/// Returns the longest part between placeholders, such as `<number>`.
fn common(message: &str) -> Option<&str> {
    let parts =
        message.split(['<', '>', '…']).map(str::trim).filter(|part| !["number", "id", "text", "path"].contains(part));
    // A separator may have been a line break, so a part ends there too.
    let parts = parts.flat_map(|part| part.split("  ")).map(|part| part.get(..200).unwrap_or(part));
    parts.max_by_key(|part| part.len()).filter(|part| part.len() >= 4 && part.len() <= 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_part_that_all_messages_of_a_group_share_is_what_is_searched_for() {
        assert_eq!(common("no answer in <number> s from <text>"), Some("no answer in"));
        assert_eq!(common("the model is overloaded"), Some("the model is overloaded"));
        assert_eq!(common("<number> of <number>"), None);
        assert_eq!(common(""), None);
    }
}

//! The frame of the waterfall: its controls, the minimap, the head of its columns, and the empty
//! tree that the page's script fills.

use maud::{Markup, html};

/// Parts of the trace, of which shorter spans can be left out.
const SHORTEST: [(&str, &str); 5] = [
    ("0", "all spans"),
    ("0.0001", "0.01% and more"),
    ("0.001", "0.1% and more"),
    ("0.01", "1% and more"),
    ("0.05", "5% and more"),
];

pub(super) fn waterfall() -> Markup {
    html! {
        section.card.waterfall aria-labelledby="waterfall-title" {
            h2.aside-text #waterfall-title { "Waterfall" }
            (toolbar())
            (minimap())
            div #wf-scroll {
                div.wf-head aria-hidden="true" {
                    span.wf-name { "Stage" }
                    span #wf-axis {}
                    span.wf-count { "Items" }
                    span.wf-cost { "Cost" }
                    span.wf-took { "Took" }
                }
                div.wf-lines-box aria-hidden="true" { div #wf-lines {} }
                div #wf-tree role="tree" aria-label="Spans" {}
            }
            (legend())
            (hatch())
        }
    }
}

fn toolbar() -> Markup {
    let button = |control: &str, title: &str, text: Markup| {
        html! { button type="button" data-control=(control) title=(title) { (text) } }
    };
    html! {
        div #wf-toolbar role="group" aria-label="Waterfall" {
            div.wf-find role="search" {
                label.aside-text for="wf-search" { "Search inside the trace" }
                input #wf-search type="search" data-first-field placeholder="Search inside the trace" autocomplete="off" spellcheck="false" aria-keyshortcuts="/";
                output #wf-found for="wf-search" aria-live="polite" {}
                button #wf-previous type="button" aria-label="Previous match" title="Previous match (N)" { "↑" }
                button #wf-next type="button" aria-label="Next match" title="Next match (n)" { "↓" }
            }
            div.wf-levels role="group" aria-label="Levels" {
                (button("less", "Close one level (-)", html! { "−" span.aside-text { "Close one level" } }))
                (button("more", "Open one level (+)", html! { "+" span.aside-text { "Open one level" } }))
                (button("all", "Open all (*)", html! { "All" }))
            }
            (button("failure", "Go to the next failed span (e)", html! { "Next error" }))
            button type="button" data-control="critical" aria-pressed="false" title="Show only spans on the critical path (c goes along it)" { "Critical path" }
            button type="button" data-control="costs" aria-pressed="false" title="Show what spans cost instead of when they ran" { "Cost" }
            label.wf-shortest {
                span { "Show " }
                select data-control="shortest" {
                    @for (value, text) in SHORTEST { option value=(value) { (text) } }
                }
            }
            button type="button" data-control="whole" title="Show the whole time (0)" hidden { "Whole time" }
        }
    }
}

fn minimap() -> Markup {
    let handle = |id: &str, label: &str, now: &str| {
        html! {
            span.wf-handle id=(id) role="slider" tabindex="0" aria-label=(label) aria-valuemin="0" aria-valuemax="100" aria-valuenow=(now) {}
        }
    };
    html! {
        div #wf-minimap title="Drag to zoom, double-click for the whole time" {
            canvas #wf-map aria-hidden="true" {}
            div #wf-pane { (handle("wf-from", "Start of the shown time", "0")) (handle("wf-to", "End of the shown time", "100")) }
        }
    }
}

fn legend() -> Markup {
    html! {
        p.wf-legend {
            span { svg.wf-sample width="28" height="12" aria-hidden="true" { rect.wf-bar width="28" height="12" rx="2" {} path.wf-covered d="M9 0H22V12H9Z" {} } " own time strong, time of spans inside pale" }
            span { svg.wf-sample width="28" height="12" aria-hidden="true" { path.wf-critical d="M0 5H28V8H0Z" {} } " critical path" }
            span { "✗ failed" } span { "⊘ cancelled" } span { "◌ still running" } span { "? lost" }
        }
    }
}

/// The pattern over bars that did not complete, so that colour is not all that marks them.
fn hatch() -> Markup {
    html! {
        svg.wf-patterns width="0" height="0" aria-hidden="true" {
            defs {
                pattern #wf-hatch width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)" {
                    rect.wf-stripe width="2.5" height="6" {}
                }
            }
        }
    }
}

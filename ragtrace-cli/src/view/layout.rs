//! The frame of every page: head, navigation, and the list of keys.

use axum::http::header;
use axum::response::{IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};

use super::assets;
use super::session::Session;
use super::theme::Theme;

/// The pages of the navigation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tab {
    Traces,
    Stages,
    Costs,
    Errors,
    Scores,
    Live,
}

impl Tab {
    const ALL: [Self; 6] = [Self::Traces, Self::Stages, Self::Costs, Self::Errors, Self::Scores, Self::Live];

    const fn name(self) -> &'static str {
        match self {
            Self::Traces => "Traces",
            Self::Stages => "Stages",
            Self::Costs => "Costs",
            Self::Errors => "Errors",
            Self::Scores => "Scores",
            Self::Live => "Live",
        }
    }

    const fn path(self) -> &'static str {
        match self {
            Self::Traces => "/",
            Self::Stages => "/stages",
            Self::Costs => "/costs",
            Self::Errors => "/errors",
            Self::Scores => "/scores",
            Self::Live => "/live",
        }
    }

    /// Returns the key that opens the page after `g`.
    const fn key(self) -> &'static str {
        match self {
            Self::Traces => "t",
            Self::Stages => "s",
            Self::Costs => "c",
            Self::Errors => "e",
            Self::Scores => "r",
            Self::Live => "l",
        }
    }
}

/// A page, to which a handler adds its content.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    title: String,
    tab: Tab,
    scripts: Vec<&'static str>,
    styles: Vec<&'static str>,
    keys: Vec<(&'static str, &'static str)>,
}

impl Page {
    pub(crate) fn new(title: impl Into<String>, tab: Tab) -> Self {
        Self { title: title.into(), tab, scripts: Vec::new(), styles: Vec::new(), keys: Vec::new() }
    }

    /// Adds a script, which is a module in `assets/`.
    pub(crate) fn script(mut self, file: &'static str) -> Self {
        self.scripts.push(file);
        self
    }

    /// Adds a style sheet in `assets/`.
    pub(crate) fn style(mut self, file: &'static str) -> Self {
        self.styles.push(file);
        self
    }

    /// Adds a key of the page to the list that `?` shows.
    pub(crate) fn key(mut self, key: &'static str, does: &'static str) -> Self {
        self.keys.push((key, does));
        self
    }

    /// Returns the page with this content. The content has an `h1`.
    #[expect(clippy::needless_pass_by_value, reason = "as `html!` returns it")]
    pub(crate) fn respond(&self, session: &Session, body: Markup) -> Response {
        let head = Head { title: &self.title, theme: session.theme(), scripts: &self.scripts, styles: &self.styles };
        respond(html! {
            (DOCTYPE)
            html lang="en" data-theme=(session.theme().as_str()) {
                (head.markup(session.may_write().then(|| session.csrf()).flatten()))
                body {
                    a.skip href="#main" { "Skip to the content" }
                    (top(Some(self.tab), Some(session)))
                    main #main tabindex="-1" { (body) }
                    (keys(&self.keys))
                }
            }
        })
    }
}

/// The head of a page.
pub(super) struct Head<'a> {
    pub(super) title: &'a str,
    pub(super) theme: Theme,
    pub(super) scripts: &'a [&'static str],
    pub(super) styles: &'a [&'static str],
}

impl Head<'_> {
    pub(super) fn markup(&self, csrf: Option<&str>) -> Markup {
        let scheme = if self.theme == Theme::System { "light dark" } else { self.theme.as_str() };
        html! {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content=(scheme);
                @if let Some(csrf) = csrf { meta name="csrf" content=(csrf); }
                title { (self.title) " · ragtrace" }
                link rel="icon" type="image/svg+xml" href=(assets::href("icon.svg"));
                @for file in assets::STYLES.iter().chain(self.styles) {
                    link rel="stylesheet" href=(assets::href(file));
                }
                @for file in assets::SCRIPTS.iter().chain(self.scripts) {
                    script type="module" src=(assets::href(file)) {}
                }
            }
        }
    }
}

/// Returns the bar at the top of a page.
pub(super) fn top(tab: Option<Tab>, session: Option<&Session>) -> Markup {
    html! {
        header.top {
            a.brand href="/" { (mark()) "ragtrace" }
            nav aria-label="Pages" {
                ul {
                    @for one in Tab::ALL {
                        li {
                            a href=(one.path()) data-go=(one.key()) aria-current=[(tab == Some(one)).then_some("page")] {
                                (one.name())
                            }
                        }
                    }
                }
            }
            form.find action="/find" role="search" {
                input type="search" name="q" maxlength="200" aria-label="Find a trace by its id"
                    placeholder="Find trace id…" autocomplete="off" spellcheck="false";
            }
            div.tools {
                @if let Some(role) = session.and_then(Session::role) {
                    span.role title="The PostgreSQL role that limits what you see" { (super::show::short(role, 32)) }
                }
                button type="button" data-theme-switch aria-label="Switch between light and dark" title="Light or dark" { (half()) }
                button type="button" data-keys aria-label="Show the keys" title="Keys (?)" { "?" }
                @if session.is_some_and(Session::is_signed_in) {
                    button type="button" data-sign-out { "Sign out" }
                }
            }
        }
    }
}

/// Returns the sign of ragtrace: three spans of a waterfall.
fn mark() -> Markup {
    html! {
        svg.mark viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" {
            rect x="1" y="2" width="14" height="3" rx="1.5" {}
            rect x="3" y="6.5" width="7" height="3" rx="1.5" {}
            rect x="8" y="11" width="7" height="3" rx="1.5" {}
        }
    }
}

fn half() -> Markup {
    html! {
        svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true" {
            circle cx="8" cy="8" r="6.5" fill="none" stroke="currentColor" stroke-width="1.5" {}
            path d="M8 1.5a6.5 6.5 0 0 1 0 13z" fill="currentColor" {}
        }
    }
}

/// Returns the list of keys, those of the page first.
pub(super) fn keys(of_page: &[(&'static str, &'static str)]) -> Markup {
    let common = [
        ("/", "Go to the filter"),
        ("j k", "Next and previous row"),
        ("Enter", "Open the row"),
        ("n p", "Next and previous page of the list"),
        ("Esc", "Leave a field"),
        ("?", "Show or hide these keys"),
    ];
    html! {
        dialog #keys aria-labelledby="keys-title" {
            h2 #keys-title { "Keys" }
            dl {
                @for (key, does) in of_page.iter().chain(&common) {
                    div { dt { @for one in key.split(' ') { kbd { (one) } " " } } dd { (does) } }
                }
                @for tab in Tab::ALL {
                    div { dt { kbd { "g" } " " kbd { (tab.key()) } } dd { (tab.name()) } }
                }
            }
            form method="dialog" { button { "Close" } }
        }
    }
}

/// Answers with a page.
pub(super) fn respond(page: Markup) -> Response {
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], page.into_string()).into_response()
}

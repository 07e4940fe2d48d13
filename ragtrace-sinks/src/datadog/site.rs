//! Datadog's sites: separate installations, each with its own data and keys.

use std::fmt;
use std::str::FromStr;

/// A site, such as `datadoghq.eu`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Site {
    name: &'static str,
    has_llm_observability: bool,
}

impl Site {
    /// The site that is used if none is set.
    pub(super) const DEFAULT: Self = ALL[0];

    /// Returns `true` if the site has the product LLM Observability.
    pub(crate) fn has_llm_observability(self) -> bool {
        self.has_llm_observability
    }
}

/// All sites (Datadog, "Getting Started with Datadog Sites").
const ALL: [Site; 9] = [
    of_business("datadoghq.com"),
    of_business("us3.datadoghq.com"),
    of_business("us5.datadoghq.com"),
    of_business("datadoghq.eu"),
    of_business("ap1.datadoghq.com"),
    of_business("ap2.datadoghq.com"),
    of_business("uk1.datadoghq.com"),
    of_government("ddog-gov.com"),
    of_government("us2.ddog-gov.com"),
];

const fn of_business(name: &'static str) -> Site {
    Site { name, has_llm_observability: true }
}

const fn of_government(name: &'static str) -> Site {
    Site { name, has_llm_observability: false }
}

impl FromStr for Site {
    type Err = String;

    /// Parses a name in any case.
    fn from_str(text: &str) -> Result<Self, String> {
        let found = ALL.into_iter().find(|site| text.trim().eq_ignore_ascii_case(site.name));
        found.ok_or_else(|| {
            let known = ALL.map(|site| site.name).join(", ");
            format!(
                "{text:?} is not a Datadog site: use one of {known}; for any other host set RAGTRACE_DATADOG_LOGS_URL and \
                 RAGTRACE_DATADOG_API_URL, or `logs_url` and `api_url` in code"
            )
        })
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

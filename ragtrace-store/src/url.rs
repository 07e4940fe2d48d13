//! Parses the URLs of stores.

#[cfg(feature = "sqlite")]
use std::path::Path;

use crate::fault::{Cause, Fault};
#[cfg(feature = "postgres")]
use crate::postgres::PgLocation;

/// The store that a URL names.
pub(crate) enum StoreUrl<'a> {
    #[cfg(feature = "sqlite")]
    Sqlite(&'a Path),
    #[cfg(feature = "postgres")]
    Postgres(PgLocation),
    #[cfg(not(all(feature = "sqlite", feature = "postgres")))]
    #[expect(dead_code, reason = "the lifetime has to be used in every build")]
    Unused(std::convert::Infallible, &'a str),
}

impl<'a> StoreUrl<'a> {
    pub(crate) fn parse(url: &'a str) -> Result<Self, Fault> {
        let scheme = url.split_once(':').map_or(url, |(scheme, _)| scheme);
        #[cfg(feature = "sqlite")]
        if let Some(path) = url.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            let nowhere = || Fault::new(Cause::Url, format!("{url:?} names no file: write `sqlite:` and a path"));
            return if path.is_empty() { Err(nowhere()) } else { Ok(Self::Sqlite(Path::new(path))) };
        }
        #[cfg(feature = "postgres")]
        if matches!(scheme, "postgres" | "postgresql") {
            return Ok(Self::Postgres(PgLocation::from_url(url)));
        }
        let known = "write `sqlite:` and a path, or `postgres://user@host/database`";
        let message = match scheme {
            "sqlite" | "postgres" | "postgresql" if url.len() > scheme.len() => {
                let feature = if scheme == "sqlite" { "sqlite" } else { "postgres" };
                format!(
                    "`{scheme}:` is not supported by this build: enable the feature `{feature}` of `ragtrace-store` or `ragtrace-sinks`"
                )
            }
            // A text that is not a scheme may contain anything, even a password, so it is not
            // repeated.
            _ if url.len() == scheme.len()
                || !scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b)) =>
            {
                format!("the URL of the store has no scheme: {known}")
            }
            _ => format!("no store has URLs that begin with `{scheme}:`: {known}"),
        };
        Err(Fault::new(Cause::Url, message))
    }
}

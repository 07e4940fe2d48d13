//! The location of the tables: a database and a schema in it, parsed from a URL.
//!
//! The URL has libpq's form (PostgreSQL 15, section 34.1.1.2, "Connection URIs"). sqlx parses it by
//! the rules for web addresses, so what differs is converted first: an IPv6 host in brackets,
//! characters in passwords that would end the address early, and parameters that sqlx does not
//! know, whose values it would log.

use std::borrow::Cow;

use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;

use super::fault::malformed_url;
use super::session::{Session, Use};
use crate::fault::{Cause, Fault};

/// The parameters that sqlx knows, besides `options[…]`.
const KNOWN: [&str; 19] = [
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "ssl-ca",
    "ssl-cert",
    "ssl-key",
    "ssl-mode",
    "ssl-root-cert",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    CACHE,
    "user",
    SCHEMA,
];
/// The parameter that names the schema, which libpq does not have.
const SCHEMA: &str = "schema";
const CACHE: &str = "statement-cache-capacity";
const DEFAULT_SCHEMA: &str = "ragtrace";
/// A stand-in for a host that sqlx cannot parse. No host has this name (RFC 2606, section 2).
const PLACEHOLDER: &str = "ragtrace.invalid";
/// The longest name that PostgreSQL keeps, in bytes (section 4.1.1, "Identifiers and Key Words").
/// It truncates a longer one without an error.
const LONGEST_NAME: usize = 63;

/// A database, and the schema in it.
#[derive(Clone)]
pub(crate) struct PgLocation {
    url: String,
    schema: Option<String>,
    role: Option<String>,
}

impl std::fmt::Debug for PgLocation {
    /// Omits the URL, which may contain a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PgLocation").field("schema", &self.schema).finish_non_exhaustive()
    }
}

impl PgLocation {
    /// Returns the location that `url` names. Its parameter `schema`, which is an extension of
    /// ragtrace, names the schema.
    pub(crate) fn from_url(url: &str) -> Self {
        Self { url: url.to_owned(), schema: None, role: None }
    }

    /// Sets the role under which transactions run, which the URL's own role must be a member of.
    #[must_use]
    pub(crate) fn role(mut self, role: impl Into<String>) -> Self {
        self.role = Some(role.into());
        self
    }

    /// Returns the role under which transactions run, if it is not the URL's own.
    pub(super) fn role_name(&self) -> Option<&str> {
        self.role.as_deref()
    }

    /// Sets the schema, which takes precedence over the URL's parameter.
    pub(super) fn schema(mut self, schema: impl Into<String>) -> Self {
        self.schema = Some(schema.into());
        self
    }

    /// Checks that the URL is well formed, without connecting.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        self.schema_name()?;
        self.options().map(drop)
    }

    /// Returns the schema's name, or a fault if PostgreSQL does not accept that name.
    pub(super) fn schema_name(&self) -> Result<Cow<'_, str>, Fault> {
        let name = match &self.schema {
            Some(schema) => Cow::Borrowed(schema.as_str()),
            None => match Parts::of(&self.url).last(SCHEMA) {
                Some(encoded) => {
                    let advice = "write a percent sign as `%25`";
                    let message = format!("the parameter `schema` of the URL is malformed: {advice}");
                    let malformed = || Fault::new(Cause::Url, message);
                    decoded(encoded).ok_or_else(malformed)?
                }
                None => Cow::Borrowed(""),
            },
        };
        let refused = |why: &str| Err(Fault::new(Cause::Url, format!("the schema cannot be named {name:?}: {why}")));
        match &*name {
            "" => Ok(Cow::Borrowed(DEFAULT_SCHEMA)),
            long if long.len() > LONGEST_NAME => refused("a name in PostgreSQL has at most 63 bytes"),
            nul if nul.contains('\0') => refused("a name in PostgreSQL has no U+0000"),
            reserved if reserved.starts_with("pg_") => refused("names that begin with `pg_` are the server's own"),
            "$user" => refused("to the server it stands for the name of the role"),
            _ => Ok(name),
        }
    }

    /// Returns the settings with which transactions begin.
    pub(super) fn session(&self, of: Use) -> Result<Session, Fault> {
        Ok(Session::new(&self.schema_name()?, of, self.role_name(), self.caches_statements()))
    }

    /// Returns `true` if the URL allows statements to be cached, which must not happen over a
    /// pooler.
    fn caches_statements(&self) -> bool {
        Parts::of(&self.url).last(CACHE).is_some_and(|capacity| capacity.parse::<usize>().is_ok_and(|some| some > 0))
    }

    /// Returns the connection options. They ask for nothing that a pooler may refuse or drop: every
    /// setting that matters is set in each transaction. Statements are not logged, since sqlx would
    /// log them through the subscriber whose records are being written here.
    pub(super) fn options(&self) -> Result<PgConnectOptions, Fault> {
        let parts = Parts::of(&self.url);
        let (url, host) = parts.for_sqlx()?;
        let mut options: PgConnectOptions = url.parse().map_err(malformed_url)?;
        // A parameter may have named another host.
        if let Some(host) = host.filter(|_| options.get_host() == PLACEHOLDER) {
            options = options.host(&host);
        }
        if options.get_application_name().is_none() {
            options = options.application_name("ragtrace");
        }
        if !self.caches_statements() {
            options = options.statement_cache_capacity(0);
        }
        Ok(options.extra_float_digits(None).disable_statement_logging())
    }
}

/// The parts of a URL, not decoded.
struct Parts<'a> {
    /// The scheme with its `://`.
    scheme: &'a str,
    /// The user, and the password if there is one.
    user: Option<&'a str>,
    /// The host, and the port if there is one.
    host: &'a str,
    path: &'a str,
    parameters: Vec<&'a str>,
}

impl<'a> Parts<'a> {
    fn of(url: &'a str) -> Self {
        let (scheme, rest) = url.find("://").map_or(("", url), |at| url.split_at(at + 3));
        let before_path = &rest[..rest.find('/').unwrap_or(rest.len())];
        // A question mark before the `@` is part of a password.
        let user = before_path.rfind('@').filter(|at| {
            let query = before_path.find('?').unwrap_or(*at);
            query >= *at || before_path[..query].contains(':')
        });
        let (user, rest) = user.map_or((None, rest), |at| (Some(&rest[..at]), &rest[at + 1..]));
        let (address, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (host, path) = address.split_at(address.find('/').unwrap_or(address.len()));
        Self { scheme, user, host, path, parameters: query.split('&').filter(|one| !one.is_empty()).collect() }
    }

    /// Returns the last value of a parameter, not decoded.
    fn last(&self, name: &str) -> Option<&'a str> {
        self.parameters.iter().rev().find_map(|one| one.strip_prefix(name)?.strip_prefix('='))
    }

    /// Returns a URL that sqlx can parse, and the host separately if sqlx cannot parse it.
    fn for_sqlx(&self) -> Result<(String, Option<String>), Fault> {
        let malformed = |why: &str| Fault::new(Cause::Url, format!("the URL of the database is malformed: {why}"));
        if self.scheme.is_empty() {
            return Err(malformed("write `postgres://user@host/database`"));
        }
        if self.host.contains(',') {
            return Err(malformed("it names several hosts, so name the one to write to"));
        }
        let (host, port, own_host) = match self.host.strip_prefix('[') {
            Some(host) => {
                let (address, port) = host.split_once(']').ok_or_else(|| malformed("check its host"))?;
                let address = decoded(address).ok_or_else(|| malformed("check its host"))?;
                (PLACEHOLDER, port.strip_prefix(':').unwrap_or(port), Some(address.into_owned()))
            }
            None => self.host.split_once(':').map_or((self.host, "", None), |(host, port)| (host, port, None)),
        };
        let mut url = self.scheme.to_owned();
        let mut parameters = Vec::new();
        if host.is_empty() {
            // A web address cannot have a user without a host, so these become parameters.
            let (user, password) = self.user.map_or(("", ""), |user| user.split_once(':').unwrap_or((user, "")));
            for (name, value) in [("user", user), ("password", password), ("port", port)] {
                if !value.is_empty() {
                    parameters.push(format!("{name}={}", value.replace('&', "%26").replace('+', "%2B")));
                }
            }
        } else {
            if let Some(user) = self.user {
                url.push_str(&user.replace('?', "%3F"));
                url.push('@');
            }
            url.push_str(host);
            if !port.is_empty() {
                url.push(':');
                url.push_str(port);
            }
        }
        let known = |one: &&&str| {
            let name = one.split_once('=').map_or(**one, |(name, _)| name);
            name != SCHEMA && (KNOWN.contains(&name) || name.starts_with("options["))
        };
        parameters.extend(self.parameters.iter().filter(known).map(|&one| one.to_owned()));
        url.push_str(if self.path.is_empty() && host.is_empty() { "/" } else { self.path });
        for (at, parameter) in parameters.iter().enumerate() {
            url.push(if at == 0 { '?' } else { '&' });
            url.push_str(parameter);
        }
        // These URLs have no fragments, so a `#` is part of a value.
        Ok((url.replace('#', "%23"), own_host))
    }
}

/// Decodes percent-encoding, or returns `None` if it is malformed.
fn decoded(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return Some(Cow::Borrowed(text));
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, others @ ..] = rest {
        rest = others;
        if *first == b'%' {
            let (digits, others) = rest.split_at_checked(2)?;
            let digits = std::str::from_utf8(digits).ok().filter(|two| two.bytes().all(|b| b.is_ascii_hexdigit()))?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = others;
        } else {
            bytes.push(*first);
        }
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(url: &str) -> Result<String, String> {
        PgLocation::from_url(url).schema_name().map(Cow::into_owned).map_err(|fault| fault.to_string())
    }

    #[test]
    fn a_schema_is_what_the_url_says_decoded() {
        for (query, expected) in [
            ("", "ragtrace"),
            ("?schema=", "ragtrace"),
            ("?schema=MyApp", "MyApp"),
            ("?sslmode=disable&schema=my%20app", "my app"),
            ("?schema=a&schema=%C3%BC%22%27%5C.%26%3D%25", "ü\"'\\.&=%"),
            ("?schema=a+b&x=1", "a+b"),
            ("?schema=a=b", "a=b"),
        ] {
            assert_eq!(schema(&format!("postgres://u@h/db{query}")).as_deref(), Ok(expected), "{query}");
        }
        assert_eq!(schema(&format!("postgres://u@h/db?schema={}", "x".repeat(63))), Ok("x".repeat(63)));
        for query in ["%", "%4", "%zz", "%+1", "%ff"] {
            assert!(schema(&format!("postgres://u@h/db?schema={query}")).is_err(), "{query}");
        }
        for name in ["pg_temp", "pg_x", "$user", "a%00", &"é".repeat(32)] {
            let why = schema(&format!("postgres://u@h/db?schema={name}")).expect_err(name);
            assert!(why.contains("cannot be named"), "{why}");
        }
    }

    #[test]
    fn a_host_is_read_as_libpq_reads_it() {
        for (url, host, port) in [
            ("postgres://u@[::1]/db", "::1", 5432),
            ("postgres://u@[::1]:6432/db?sslmode=disable", "::1", 6432),
            ("postgresql://u:p%5B@[fe80::1%25eth0]:1/db", "fe80::1%eth0", 1),
            ("postgres://[2001:db8::7]", "2001:db8::7", 5432),
            ("postgres://u@db.example:7/db", "db.example", 7),
            ("postgres://u:p#w?x@db.example:7/db", "db.example", 7),
            ("postgres://u:p@ss@db.example:7/db", "db.example", 7),
            ("postgres://u@ignored/db?hostaddr=::1&port=9", "::1", 9),
            ("postgres://u@[::2]/db?host=db.example", "db.example", 5432),
        ] {
            let options = PgLocation::from_url(url).options().expect(url);
            assert_eq!((options.get_host(), options.get_port()), (host, port), "{url}");
        }
        for (url, socket) in [
            ("postgres:///db?host=/run/postgresql", "/run/postgresql"),
            ("postgres://u@/db?host=%2Frun%2Fpg%20x", "/run/pg x"),
            ("postgres://u@%2Frun%2Fpostgresql/db", "/run/postgresql"),
        ] {
            let options = PgLocation::from_url(url).options().expect(url);
            let path = options.get_socket().map(|path| path.to_string_lossy().trim_end_matches('/').to_owned());
            assert_eq!(path.as_deref(), Some(socket), "{url}");
        }
        let options = PgLocation::from_url("postgres://u+x:p%26@:7/db?host=/run").options().expect("well formed");
        assert_eq!((options.get_username(), options.get_port(), options.get_database()), ("u+x", 7, Some("db")));
    }

    #[test]
    fn names_are_decoded_and_what_is_malformed_tells_no_password() {
        let options = PgLocation::from_url("postgres://My%20App:x%2Fy@h/%22Db%22.%3F?schema=x&sslpassword=y").options();
        let options = options.expect("well formed");
        assert_eq!((options.get_username(), options.get_database()), ("My App", Some("\"Db\".?")));
        for url in [
            "postgres://app:hunter2/x@db/y",
            "postgres://app:hunter2@[::1/db",
            "postgres://app:hunter2@h:port/db",
            "postgres://app:hunter2@a,b/db",
            "postgres://app:hunter2@h/db?sslmode=hunter2x&port=1",
            "postgres:app:hunter2",
        ] {
            let Err(fault) = PgLocation::from_url(url).options() else { panic!("{url} is read") };
            assert_eq!(fault.cause(), Cause::Url, "{url}");
            assert!(!format!("{fault}").contains("hunter2"), "{fault:#}");
            assert!(url.contains("sslmode") || !format!("{fault:#} {fault:?}").contains("hunter2"), "{fault:#}");
        }
    }

    #[test]
    fn statements_are_cached_where_the_url_says_so() {
        for (query, cached) in
            [("", false), ("?statement-cache-capacity=0", false), ("?statement-cache-capacity=50", true)]
        {
            let location = PgLocation::from_url(&format!("postgres://u@h/db{query}"));
            assert_eq!(location.caches_statements(), cached, "{query}");
        }
    }
}

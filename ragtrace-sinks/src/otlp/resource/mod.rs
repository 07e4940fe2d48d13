//! The resource: the process that spans and log records come from.
//!
//! Records describe their own process, even if they come from an earlier process by way of the
//! spool. Facts that are known only of this process, such as its number and its container, are
//! added only to its own records.

mod container;
mod kubernetes;
mod process;

use std::ffi::OsString;
use std::sync::OnceLock;

use ragtrace::{Origin, Timestamp};

use super::proto::{Attributes, Writer};
use crate::pairs::{self, Pair};

/// `Resource.attributes` of `opentelemetry/proto/resource/v1/resource.proto`.
const ATTRIBUTES: u32 = 1;

/// The facts about resources that records do not contain.
#[derive(Clone, Debug)]
pub(crate) struct ResourceSettings {
    /// The attributes that were set, those from code before those from variables.
    pub(crate) set: Vec<Pair>,
    /// The service of records that name none.
    pub(crate) service: Option<String>,
    /// The time at which the sink was created. Every process whose records it finds in a spool
    /// started earlier.
    made_at: Timestamp,
    detected: OnceLock<Vec<Pair>>,
}

impl Default for ResourceSettings {
    fn default() -> Self {
        Self { set: Vec::new(), service: None, made_at: Timestamp::now(), detected: OnceLock::new() }
    }
}

impl ResourceSettings {
    /// Returns the settings for stored records, none of which comes from this process.
    pub(crate) fn of_other_processes() -> Self {
        Self { made_at: Timestamp::from_micros(i64::MAX), ..Self::default() }
    }

    /// Writes the resource of a process as a nested message.
    pub(crate) fn write(&self, field: u32, origin: &Origin, writer: &mut Writer) {
        let mut keys = Vec::new();
        let open = writer.open(field);
        let mut attributes = Attributes::new(writer, ATTRIBUTES, &mut keys);
        let is_ours = self.is_ours(origin);
        let service = origin.service().or(self.service.as_deref());
        attributes.put("service.name", &*service.map_or_else(|| unknown_service(is_ours), str::to_owned));
        attributes.put_some("service.version", origin.version());
        attributes.put_some("deployment.environment.name", origin.environment());
        attributes.put("service.instance.id", &*origin.instance().to_string());
        attributes.put_some("host.name", origin.host());
        attributes.put("telemetry.sdk.name", "ragtrace");
        attributes.put("telemetry.sdk.language", "rust");
        attributes.put("telemetry.sdk.version", env!("CARGO_PKG_VERSION"));
        if is_ours {
            attributes.put("process.pid", i64::from(std::process::id()));
        }
        let detected = is_ours.then(|| self.detected.get_or_init(detect));
        for (key, value) in self.set.iter().chain(detected.into_iter().flatten()) {
            if !attributes.has(&[key]) {
                attributes.put(key, &**value);
            }
        }
        writer.close(open);
    }

    /// Returns `true` if a process is this one. Its id, a UUID version 7, contains the time.
    fn is_ours(&self, origin: &Origin) -> bool {
        let id = origin.instance().as_u128();
        let (millis, version) = (id >> 80, id >> 76 & 0xf);
        let made_at = u128::try_from(self.made_at.as_micros() / 1_000).unwrap_or(u128::MAX);
        version == 7 && millis >= made_at
    }
}

/// Returns the name of a service without one ("Resource SDK", "SDK-provided resource attributes").
fn unknown_service(is_ours: bool) -> String {
    match process::executable_name().filter(|_| is_ours) {
        Some(name) => format!("unknown_service:{name}"),
        None => "unknown_service".to_owned(),
    }
}

/// Detects the attributes of this process and its environment.
fn detect() -> Vec<Pair> {
    let lookup = |name: &str| std::env::var_os(name).and_then(|value: OsString| value.into_string().ok());
    let mut pairs = process::attributes();
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let container = container::id(&read("/proc/self/cgroup"), &read("/proc/self/mountinfo"));
    pairs.extend(container.map(|id| ("container.id".to_owned(), id)));
    pairs.extend(kubernetes::attributes(lookup, read));
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_of_an_older_id_is_not_ours() {
        let settings = ResourceSettings::default();
        let at = |micros: i64| {
            let millis = u128::try_from(micros / 1_000).expect("after 1970");
            Origin::new(ragtrace::uuid::Uuid::from_u128(millis << 80 | 7 << 76 | 0b10 << 62))
        };
        let made_at = settings.made_at.as_micros();
        assert!(settings.is_ours(&at(made_at)) && settings.is_ours(&at(made_at + 5_000)));
        assert!(!settings.is_ours(&at(made_at - 2_000)));
        assert!(!settings.is_ours(&Origin::new(ragtrace::uuid::Uuid::from_u128(u128::MAX))));
    }
}

//! `GET /info`: the limits and abilities of a LangSmith server.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value as Json;

/// The time for which an answer is used. A server rarely changes, but may be updated.
const KEPT: Duration = Duration::from_mins(10);
/// The time until the next question after one without an answer, or while one is in progress.
const KEPT_WITHOUT_ANSWER: Duration = Duration::from_mins(1);
/// The version from which on servers accept feedback beside runs (the official Python client,
/// 0.15).
const FEEDBACK_IN_MULTIPART: [u64; 3] = [0, 8, 10];

/// The limits and abilities of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Info {
    pub(super) version: Option<String>,
    /// The largest number of runs in a request.
    pub(super) runs: usize,
    /// The largest size of a request in bytes, before compression.
    pub(super) bytes: usize,
    pub(super) has_multipart: bool,
    pub(super) has_zstd: bool,
}

impl Default for Info {
    /// Returns what the official clients assume of a server that does not say.
    fn default() -> Self {
        Self { version: None, runs: 100, bytes: 20_971_520, has_multipart: true, has_zstd: false }
    }
}

impl Info {
    /// Parses an answer. Members without sense get their defaults.
    pub(super) fn read(json: &[u8]) -> Option<Self> {
        let json: Json = serde_json::from_slice(json).ok()?;
        let answer = json.as_object()?;
        let (config, flags) = (answer.get("batch_ingest_config"), answer.get("instance_flags"));
        let limit = |name: &str, otherwise: usize| {
            let limit = config.and_then(|config| config.get(name)).and_then(Json::as_u64);
            limit.filter(|limit| *limit > 0).and_then(|limit| usize::try_from(limit).ok()).unwrap_or(otherwise)
        };
        let flag = |of: Option<&Json>, name: &str| of.and_then(|of| of.get(name)).and_then(Json::as_bool);
        let default = Self::default();
        Some(Self {
            version: answer.get("version").and_then(Json::as_str).map(str::to_owned),
            runs: limit("size_limit", default.runs),
            bytes: limit("size_limit_bytes", default.bytes),
            has_multipart: flag(config, "use_multipart_endpoint").unwrap_or(default.has_multipart),
            has_zstd: flag(flags, "zstd_compression_enabled").unwrap_or(default.has_zstd),
        })
    }

    /// Returns `true` if feedback may be sent beside runs.
    pub(super) fn takes_feedback_in_multipart(&self) -> bool {
        let Some(version) = &self.version else { return false };
        let mut numbers = version.split('.').map(|part| {
            let digits = part.split(|sign: char| !sign.is_ascii_digit()).next().unwrap_or_default();
            digits.parse::<u64>().unwrap_or(0)
        });
        let version: [u64; 3] = std::array::from_fn(|_| numbers.next().unwrap_or(0));
        self.has_multipart && version >= FEEDBACK_IN_MULTIPART
    }
}

/// The facts known of a server, and until when they are used.
#[derive(Debug, Default)]
pub(super) struct KnownInfo {
    known: Mutex<(Info, Option<Instant>)>,
}

impl KnownInfo {
    /// Returns the known facts, or `None` if it is time to ask. Other callers get the known facts
    /// until the answer arrives.
    pub(super) fn current(&self) -> Option<Info> {
        let now = Instant::now();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.1.is_some_and(|until| now < until) {
            return Some(known.0.clone());
        }
        known.1 = Some(now + KEPT_WITHOUT_ANSWER);
        None
    }

    /// Stores the server's answer, and returns the facts known now.
    pub(super) fn learn(&self, answer: Option<Info>) -> Info {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(info) = answer {
            *known = (info, Some(Instant::now() + KEPT));
        }
        known.0.clone()
    }

    /// Notes that the server has no multipart endpoint. This holds until the server is asked again.
    pub(super) fn note_without_multipart(&self) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).0.has_multipart = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_and_flags_are_read_and_what_is_missing_or_makes_no_sense_is_as_the_clients_suppose() {
        let whole = br#"{"version":"0.12.3","instance_flags":{"zstd_compression_enabled":true},
            "batch_ingest_config":{"use_multipart_endpoint":false,"size_limit":20,"size_limit_bytes":1000,"x":[]}}"#;
        let info =
            Info { version: Some("0.12.3".into()), runs: 20, bytes: 1_000, has_multipart: false, has_zstd: true };
        assert_eq!(Info::read(whole), Some(info));
        let odd =
            br#"{"version":7,"instance_flags":[],"batch_ingest_config":{"size_limit":0,"size_limit_bytes":"many"}}"#;
        assert_eq!(Info::read(odd), Some(Info::default()));
        assert_eq!(Info::read(b"{}"), Some(Info::default()));
        for garbage in [&b"<html>"[..], b"", b"null", b"[]", b"\xff"] {
            assert_eq!(Info::read(garbage), None);
        }
    }

    #[test]
    fn feedback_goes_beside_runs_from_a_version_on() {
        let takes = |version: Option<&str>| {
            Info { version: version.map(str::to_owned), ..Info::default() }.takes_feedback_in_multipart()
        };
        assert!(["0.8.10", "0.9.0", "0.12.3rc1", "1", "0.8.10-dev"].into_iter().all(|version| takes(Some(version))));
        assert!(["0.8.9", "0.7.99", "", "dev"].into_iter().all(|version| !takes(Some(version))));
        assert!(!takes(None));
    }

    #[test]
    fn a_server_is_asked_once_and_others_go_on_with_what_was_known() {
        let known = KnownInfo::default();
        assert_eq!(known.current(), None);
        assert_eq!(known.current(), Some(Info::default()));
        let info = Info { runs: 20, ..Info::default() };
        assert_eq!(known.learn(Some(info.clone())), info);
        assert_eq!(known.learn(None), info);
        known.note_without_multipart();
        assert_eq!(known.current(), Some(Info { has_multipart: false, ..info }));
    }
}

//! The profile of Arize Phoenix.

use super::project::ProjectHeader;
use super::table::{BatchSize, ProfileTable};
use crate::http::{Row, Verdicts};
use crate::otlp::conventions::open_inference;

pub(super) const TABLE: ProfileTable = ProfileTable {
    name: "phoenix",
    endpoint: "http://localhost:6006",
    no_logs: None,
    headers: &[],
    trace_headers: &[],
    key: ("authorization", "Bearer "),
    project: Some(ProjectHeader::any("x-project-name")),
    default_project: None,
    batch: BatchSize::CUSTOMARY,
    verdicts: Verdicts::new(&[
        Row::retry(408..=408),
        Row::retry(429..=429),
        Row::retry(502..=504).advise("its queue of spans is full, or it is down"),
        Row::split(413..=413),
        Row::rejected(400..=400),
        Row::rejected(422..=422),
        Row::park(401..=401).advise("check PHOENIX_API_KEY"),
        Row::park(403..=403).advise("check PHOENIX_API_KEY, and its permissions"),
        Row::park(404..=405).advise("there is no Phoenix at this URL: check PHOENIX_COLLECTOR_ENDPOINT"),
        Row::park(415..=415).advise("it does not accept protobuf: check PHOENIX_COLLECTOR_ENDPOINT"),
        // The server answers 500 also while its database fails.
        Row::park(500..=500).advise("it has an internal error: check its log"),
        Row::park(507..=507).advise("its disk is full"),
        Row::rejected(500..=599),
    ]),
    put: |span, tags, attributes| {
        open_inference::put(span, tags, attributes);
        open_inference::put_output(span, attributes);
        open_inference::put_own(span, attributes);
    },
    fills: None,
};

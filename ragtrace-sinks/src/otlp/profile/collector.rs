//! The profile of an OpenTelemetry Collector, or any receiver that follows the specification ("OTLP
//! Specification", version 1.9).

use super::table::{BatchSize, ProfileTable};
use crate::http::{Row, Verdicts};
use crate::otlp::conventions::gen_ai;

pub(super) const TABLE: ProfileTable = ProfileTable {
    name: "collector",
    endpoint: "http://localhost:4318",
    no_logs: Some(
        "no logs are taken there: check OTEL_EXPORTER_OTLP_ENDPOINT and RAGTRACE_OTLP_PROFILE, or set \
         RAGTRACE_OTLP_LOGS=false",
    ),
    headers: &[],
    trace_headers: &[],
    key: ("authorization", "Bearer "),
    project: None,
    default_project: None,
    batch: BatchSize::CUSTOMARY,
    verdicts: Verdicts::new(&[
        // "OTLP/HTTP Response", "Retryable Response Codes". A request answered by 408 never arrived
        // as a whole.
        Row::retry(408..=408),
        Row::retry(429..=429).advise("it has too much to do"),
        Row::retry(502..=504).advise("it is down or overloaded"),
        Row::split(413..=413),
        Row::rejected(400..=400),
        Row::rejected(422..=422),
        Row::park(401..=401).advise("check the credentials in OTEL_EXPORTER_OTLP_HEADERS or RAGTRACE_OTLP_HEADERS"),
        Row::park(403..=403).advise(
            "check the credentials in OTEL_EXPORTER_OTLP_HEADERS or RAGTRACE_OTLP_HEADERS, and their permissions",
        ),
        Row::park(404..=405)
            .advise("nothing accepts this request there: check OTEL_EXPORTER_OTLP_ENDPOINT and RAGTRACE_OTLP_PROFILE"),
        Row::park(415..=415)
            .advise("it does not accept protobuf over HTTP: check the port, which is 4318 and not 4317"),
        // All other statuses "MUST NOT be retried".
        Row::park(501..=501).advise("it has no receiver for this"),
        Row::park(505..=505).advise("it speaks another version of HTTP: check the port, which is 4318 and not 4317"),
        Row::rejected(500..=599),
    ]),
    put: |span, _, attributes| gen_ai::put(span, attributes),
    fills: None,
};

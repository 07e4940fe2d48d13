//! Resources: each record's own process, and the facts about this one.

use opentelemetry_proto::tonic::common::v1::KeyValue;
use ragtrace::testing::RecordBuilder;
use ragtrace::uuid::Uuid;
use ragtrace::{Origin, Sink};
use ragtrace_sinks::OtlpSink;

use crate::fixture::placed;
use crate::receiver::{attribute, lines, resource_spans, sent};

fn resources<S: Sink>(make: impl FnOnce(&str) -> S, origins: Vec<Origin>) -> Vec<Vec<KeyValue>> {
    let records: Vec<_> = origins
        .into_iter()
        .map(|origin| placed(RecordBuilder::completed("s"), 1, 0, 1).origin(origin).build())
        .collect();
    let resources = resource_spans(&sent(make, records)).into_iter();
    resources.map(|of_resource| of_resource.resource.expect("a resource").attributes).collect()
}

#[test]
fn a_record_of_an_earlier_process_has_that_ones_resource_and_nothing_of_this_one() {
    let earlier = Origin::new(Uuid::from_u128(0x0199_aaaa_0000_7000_8000_0000_0000_0009));
    let earlier =
        earlier.with_service("rag-api").with_version("1.4.2").with_environment("production").with_host("node-7");
    let resource = resources(OtlpSink::new, vec![earlier]).remove(0);
    let version = env!("CARGO_PKG_VERSION");
    let expected = format!(
        "service.name = `rag-api`\nservice.version = `1.4.2`\ndeployment.environment.name = `production`\n\
         service.instance.id = `0199aaaa-0000-7000-8000-000000000009`\nhost.name = `node-7`\n\
         telemetry.sdk.name = `ragtrace`\ntelemetry.sdk.language = `rust`\ntelemetry.sdk.version = `{version}`\n"
    );
    assert_eq!(lines(&resource, ""), expected);
}

#[test]
fn a_record_of_this_process_has_its_number_and_program_too() {
    let sink_of = |url: &str| OtlpSink::new(url);
    let server = crate::receiver::receiver();
    let sink = sink_of(&server.url());
    // A process creates its id when telemetry is installed, which is after its sinks were created.
    let ours = placed(RecordBuilder::completed("s"), 1, 0, 1).origin(Origin::new(Uuid::now_v7())).build();
    crate::receiver::deliver(&sink, vec![ours]).expect("all is well");
    let resource = resource_spans(&server.take_requests().remove(0)).remove(0).resource.expect("a resource").attributes;
    let of = |key: &str| attribute(&resource, key).unwrap_or_else(|| panic!("no {key}: {}", lines(&resource, "")));
    assert_eq!(of("process.pid"), std::process::id().to_string());
    assert!(of("process.executable.name").starts_with("`otlp-"), "{}", of("process.executable.name"));
    assert!(of("service.name").starts_with("`unknown_service:otlp-"), "{}", of("service.name"));
    assert_eq!((of("process.runtime.name"), of("os.type")), ("`rust`".into(), format!("`{}`", std::env::consts::OS)));
    assert!(!of("host.arch").is_empty());
}

#[test]
fn records_of_several_processes_are_told_apart_in_one_request() {
    let of = |number: u128, service: &str| Origin::new(Uuid::from_u128(number)).with_service(service);
    let resources = resources(OtlpSink::new, vec![of(1, "a"), of(1, "a"), of(2, "b"), of(1, "a")]);
    let services: Vec<_> =
        resources.iter().map(|resource| attribute(resource, "service.name").expect("a name")).collect();
    assert_eq!(services, ["`a`", "`b`", "`a`"]);
}

#[test]
fn attributes_that_are_set_fill_in_what_records_do_not_say() {
    let make = |url: &str| {
        OtlpSink::new(url)
            .resource("service.namespace", "search")
            .resource("service.version", "9")
            .resource("service.namespace", "later")
    };
    let with_version = Origin::new(Uuid::from_u128(1)).with_version("1.4.2");
    let resource = resources(make, vec![with_version]).remove(0);
    assert_eq!(attribute(&resource, "service.namespace").as_deref(), Some("`search`"), "the first counts");
    assert_eq!(attribute(&resource, "service.version").as_deref(), Some("`1.4.2`"), "a record knows better");
    assert_eq!(attribute(&resource, "service.name").as_deref(), Some("`unknown_service`"));
}

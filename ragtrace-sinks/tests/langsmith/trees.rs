//! Trees of any shape, in any order, with any times: the server never has a reason to refuse them.

use std::time::Duration;

use proptest::prelude::*;
use ragtrace::testing::RecordBuilder;
use ragtrace::{PathStep, Record, SpanId, Timestamp, TraceId};

use super::records::{Place, deliver_all, ended};
use super::server::LangSmith;

const CALLER: &str = "20261122T082000000000Z0199A5B2-6f1e-7c3a-8a4b-0123456789ab.20261122T082010000000Z0199a5b2-6f1e-7c3a-8a4b-0123456789ac";

/// A tree: each run's parent, which comes before it, its start, and its duration.
#[derive(Clone, Debug)]
struct Tree {
    parents: Vec<Option<usize>>,
    times: Vec<(i64, u64)>,
    trace: u128,
    is_remote: bool,
    caller: Option<&'static str>,
}

fn trees() -> impl Strategy<Value = Tree> {
    (1_usize..40, any::<bool>()).prop_flat_map(|(runs, is_deep)| {
        let parents = (1..runs).map(|index| (if is_deep { index - 1 } else { 0 }..index).boxed()).collect::<Vec<_>>();
        let time = prop_oneof![8 => -1_000_i64..1_000_000, 1 => any::<i64>()];
        // The canonical JSON has a float of milliseconds, which is exact to the nanosecond up to
        // some days.
        let took = prop_oneof![8 => 0_u64..1_000_000, 1 => 0..100_000_000_000_u64];
        let trace = prop_oneof![Just(TraceId::new().as_u128()), 1_u128..];
        let caller = prop_oneof![
            Just(None),
            Just(Some(CALLER)),
            Just(Some("99999999T999999999999Z0199a5b2-6f1e-7c3a-8a4b-0123456789ab"))
        ];
        (parents, prop::collection::vec((time, took), runs), trace, any::<bool>(), caller).prop_map(
            |(parents, times, trace, is_remote, caller)| {
                let parents = std::iter::once(None).chain(parents.into_iter().map(Some)).collect();
                Tree { parents, times, trace, is_remote, caller }
            },
        )
    })
}

impl Tree {
    fn places(&self) -> Vec<Place> {
        let trace_id = TraceId::from_u128(self.trace).expect("not zero");
        self.times
            .iter()
            .map(|(at, _)| {
                let place = Place::new(trace_id, 0);
                Place { start: Timestamp::from_micros(place.start.as_micros().saturating_add(*at)), ..place }
            })
            .collect()
    }

    fn records(&self) -> Vec<Record> {
        let places = self.places();
        let record = |index: usize| {
            let mut path = vec![places[index]];
            let mut at = index;
            while let Some(parent) = self.parents[at] {
                at = parent;
                path.insert(0, places[at]);
            }
            let mut steps: Vec<_> = path.iter().map(|place| place.step()).collect();
            steps[0] = steps[0].with_detached(self.is_remote);
            let mut record =
                ended(&format!("run_{index}"), &path, Duration::from_micros(self.times[index].1)).path(steps);
            if self.is_remote && index == 0 {
                record = record.parent_span_id(SpanId::new()).local_root(true);
            }
            match self.caller {
                Some(caller) => record.langsmith_parent(caller),
                None => record,
            }
        };
        (0..self.parents.len()).map(|index| record(index).build()).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_tree_is_taken_whole_in_any_order_and_has_the_same_ids_after_a_restart(
        (tree, order) in trees().prop_flat_map(|tree| {
            let order = Just((0..tree.parents.len()).collect::<Vec<_>>()).prop_shuffle();
            (Just(tree), order)
        }),
        cut in any::<prop::sample::Index>(),
    ) {
        let records = tree.records();
        let shuffled: Vec<_> = order.iter().map(|index| records[*index].clone()).collect();
        let langsmith = LangSmith::start();
        // Two batches, with a restart in between.
        let (first, second) = shuffled.split_at(cut.index(shuffled.len()));
        deliver_all(&langsmith.sink(), first.to_vec());
        let spooled: Vec<_> = second.iter().map(|record| Record::from_json(&record.to_json()).expect("a record")).collect();
        deliver_all(&langsmith.sink(), spooled);
        {
            let kept = langsmith.kept();
            prop_assert_eq!(&kept.refused, &Vec::<String>::new());
            prop_assert_eq!((kept.runs.len(), kept.repeated), (records.len(), 0));
            for run in kept.runs.values() {
                let has_parent = run.main.get("parent_run_id").is_some();
                let parent = run.above().unwrap_or_default();
                let is_whole = kept.runs.values().any(|other| other.text("dotted_order") == parent);
                let hangs_on_caller = tree.caller == Some(CALLER) && parent == CALLER.to_lowercase().replace('t', "T").replace('z', "Z");
                prop_assert!(!has_parent || is_whole || hangs_on_caller, "{:?}", run);
            }
        }
        deliver_all(&langsmith.sink(), records);
        prop_assert_eq!(langsmith.counts(), (shuffled.len(), shuffled.len(), 0));
    }

    #[test]
    fn a_path_that_makes_no_sense_is_never_refused(
        steps in prop::collection::vec((0_u64..4, any::<i64>()), 0..6),
        own in 1_u64..4,
        parent in prop::option::of(1_u64..4),
        texts in prop::collection::vec(".*", 4),
    ) {
        let langsmith = LangSmith::start();
        let steps = steps.into_iter().filter_map(|(span, at)| {
            Some(PathStep::new(SpanId::from_u64(span)?, Timestamp::from_micros(at)))
        });
        let mut record = RecordBuilder::completed(format!("a{}", texts[0]))
            .span_id(SpanId::from_u64(own).expect("not zero"))
            .path(steps)
            .user_id(&*texts[1])
            .field("input", texts[2].clone())
            .field(texts[3].clone(), texts[0].clone());
        if let Some(parent) = parent.and_then(SpanId::from_u64) {
            record = record.parent_span_id(parent);
        }
        deliver_all(&langsmith.sink(), [record.build()]);
        prop_assert_eq!(&langsmith.kept().refused, &Vec::<String>::new());
    }
}

#[test]
fn the_roots_of_two_services_in_one_trace_are_two_langsmith_traces() {
    let langsmith = LangSmith::start();
    let trace_id = TraceId::new();
    let (caller, ours, child) = (Place::new(trace_id, 0), Place::new(trace_id, 10), Place::new(trace_id, 20));
    let step = ours.step().with_detached(true);
    let records = [
        ended("caller", &[caller], Duration::from_millis(1)),
        ended("service", &[ours], Duration::from_millis(1))
            .parent_span_id(caller.span_id)
            .local_root(true)
            .path([step]),
        ended("child", &[ours, child], Duration::from_millis(1)).path([step, child.step()]),
    ];
    deliver_all(&langsmith.sink(), records.map(RecordBuilder::build));
    let kept = langsmith.kept();
    kept.assert_whole_trees();
    let id = kept.run("service").text("id");
    assert_ne!(id, trace_id.as_uuid().to_string());
    assert_eq!((kept.run("service").text("trace_id"), kept.run("child").text("trace_id")), (id, id));
    assert_eq!(kept.run("service").metadata()["trace_id"], trace_id.as_uuid().to_string());
    assert_eq!(kept.run("service").metadata()["parent_span_id"], caller.span_id.to_string());
}

#[test]
fn a_run_whose_path_nobody_knows_is_a_tree_of_its_own() {
    let langsmith = LangSmith::start();
    let (trace_id, parent) = (TraceId::new(), SpanId::new());
    let lone = |stage: &str| RecordBuilder::completed(stage).trace_id(trace_id).parent_span_id(parent);
    deliver_all(&langsmith.sink(), [lone("a").build(), lone("b").build()]);
    let kept = langsmith.kept();
    assert_ne!(kept.run("a").text("id"), kept.run("b").text("id"));
    assert!(kept.runs.values().all(|run| run.text("id") == run.text("trace_id")));
}

#[test]
fn a_run_deeper_than_a_path_is_long_stands_below_what_is_left_of_it() {
    let langsmith = LangSmith::start();
    let trace_id = TraceId::new();
    let places: Vec<_> = (0..70).map(|depth| Place::new(trace_id, depth)).collect();
    let records = (0..70_usize).map(|depth| {
        let path = &places[..=depth];
        let kept = path.iter().take(1).chain(&path[1..][path.len().saturating_sub(64)..]);
        ended(&format!("depth_{depth}"), path, Duration::from_millis(1)).path(kept.map(|place| place.step())).build()
    });
    deliver_all(&langsmith.sink(), records.collect::<Vec<_>>());
    let kept = langsmith.kept();
    assert_eq!((kept.runs.len(), kept.run("depth_69").text("trace_id")), (70, &*trace_id.as_uuid().to_string()));
    assert_eq!(kept.run("depth_69").main["parent_run_id"], kept.run("depth_68").text("id"));
}

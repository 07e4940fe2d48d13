//! Stages whose names are made at run time.

use ragtrace::{NamedStage, Record, StageKind, stages, testing, traced_stage};

#[traced_stage]
async fn step(fails: bool) -> Result<u8, std::fmt::Error> {
    if fails { Err(std::fmt::Error) } else { Ok(1) }
}

fn named(name: &str) -> NamedStage {
    NamedStage::new(name, StageKind::Pipeline).expect("there is room")
}

// This is one test, since the names are those of the whole process.
#[test]
fn a_named_stage_is_the_parent_of_what_runs_in_it_and_names_are_bounded() {
    let line = line!() + 1;
    let reindex = NamedStage::new("job reindex", StageKind::Pipeline).expect("there is room");
    let ((), captured) = crate::captured(async {
        assert_eq!(reindex.run(step(false)).await, Ok(1));
        assert!(named("job import").try_run(step(true)).await.is_err());
    });
    assert_eq!(captured.stage("job reindex").completed().len(), 1);
    let failed = captured.stage("job import").failed();
    assert_eq!(failed.one().error().map(|error| error.type_name().to_owned()).as_deref(), Some("Error"));
    assert!(failed.one().is_local_root() && failed.one().kind() == Some(StageKind::Pipeline));
    let parents = ["job reindex", "job import"].map(|name| captured.stage(name).started().one().span_id());
    let steps: Vec<_> = captured.stage("step").started().iter().map(Record::parent_span_id).collect();
    assert_eq!(steps, parents);

    let (answer, captured) = testing::capture_sync(|| named("job count").run_sync(|| 3));
    assert_eq!((answer, captured.stage("job count").completed().len()), (3, 1));
    let (refused, captured) =
        testing::capture_sync(|| named("job count").try_run_sync(|| Err::<(), _>(std::fmt::Error)));
    assert!(refused.is_err());
    assert_eq!(captured.stage("job count").failed().len(), 1);

    // The catalog lists the name once, with the place of its first use.
    let listed: Vec<_> = stages().into_iter().filter(|stage| stage.name() == "job reindex").collect();
    assert_eq!(listed.iter().map(|stage| (stage.file(), stage.line())).collect::<Vec<_>>(), [(file!(), line)]);

    // A name that is too long is cut. Beyond the largest number of names no new one is made, and
    // the existing ones stay.
    let long = named(&"ä".repeat(300));
    assert!(long.name().len() <= 200 && long.name().ends_with('…'));
    let made = (0..2_000).filter(|n| NamedStage::new(&format!("job {n}"), StageKind::Task).is_some()).count();
    assert_eq!(made, 1_024 - 4);
    assert!(NamedStage::new("one more", StageKind::Task).is_none());
    assert_eq!(named("job reindex").name(), "job reindex");
}

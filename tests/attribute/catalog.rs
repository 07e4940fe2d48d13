//! The catalog of linked stages.

use std::process::Command;

use ragtrace::{StageDescriptor, stage, stages, traced_stage};

fn of(name: &str) -> Vec<&'static StageDescriptor> {
    stages().into_iter().filter(|stage| stage.name() == name).collect()
}

#[expect(dead_code, reason = "the catalog lists it all the same")]
#[traced_stage("catalog.dead", kind = rerank)]
fn dead<T>(_: T) {}

struct Index<T>(T);

impl<T: Copy> Index<T> {
    #[traced_stage("catalog.generic", fields(at))]
    fn get(&self, at: usize) -> T {
        let _ = at;
        self.0
    }
}

trait Search {
    #[traced_stage("catalog.default")]
    async fn search(&self) {}
}

impl Search for u8 {}
impl Search for u16 {}

#[expect(dead_code, reason = "it is listed though it is never run")]
async fn block() {
    stage!("catalog.block", async {}).await;
}

/// A stage whose name a library has too.
#[traced_stage("renamed.twice")]
fn twice() {}

#[expect(dead_code, reason = "it is listed though it is never run")]
#[traced_stage("catalog.typed", fields(a), ok(|()| d = 1), err(|e| e = e.len()), record(f: u32))]
async fn typed(a: u32) -> Result<(), String> {
    Ok(())
}

#[test]
fn a_stage_that_is_called_is_listed() {
    twice();
    assert_eq!(Index(1_u8).get(1), 1);
    assert!(of("renamed.twice").iter().any(|stage| stage.file().ends_with("catalog.rs")));
    assert_eq!(of("catalog.generic").len(), 1);
}

// GNU's linker for Windows drops stages that nothing calls.
#[cfg(not(all(windows, target_env = "gnu")))]
mod complete {
    use std::collections::BTreeSet;

    use ragtrace::{FieldSource, StageKind, stages};

    use super::{Index, Search, of};

    #[test]
    fn every_linked_stage_is_listed_once() {
        drop((1_u8.search(), 1_u16.search()));
        assert_eq!(Index(1_u8).get(1) + u8::from(Index('a').get(1) == 'a'), 2);
        for name in
            ["catalog.dead", "catalog.generic", "catalog.default", "renamed.dead", "renamed.batch", "catalog.block"]
        {
            assert_eq!(of(name).len(), 1, "{name}");
        }
        assert_eq!(of("catalog.dead")[0].kind(), StageKind::Rerank);
        assert!(of("renamed.dead")[0].file().ends_with("renamed/src/lib.rs"));
        let names: Vec<_> = stages().iter().map(|stage| stage.name()).collect();
        assert!(names.is_sorted());
        let sources: BTreeSet<_> = of("catalog.typed")[0].fields().iter().map(|field| field.source() as u8).collect();
        assert_eq!(sources.len(), [FieldSource::Start, FieldSource::Ok, FieldSource::Err, FieldSource::Record].len());
    }
}

/// The stages of another copy of the crate, which shares the link section since its descriptors are
/// the same.
mod other_copy {
    use ragtrace::StageDescriptor;

    ragtrace::__private::catalog_entry! {
        static NONE = StageDescriptor::new("", "another copy");
    }

    /// The contents of the section of a copy with other descriptors.
    #[used]
    #[cfg_attr(all(unix, not(target_vendor = "apple")), expect(unsafe_code, reason = "a section of that name"))]
    #[cfg_attr(all(unix, not(target_vendor = "apple")), unsafe(link_section = "ragtrace_0_1"))]
    static OF_AN_EARLIER_LAYOUT: [usize; 7] = [1; 7];

    #[used]
    #[cfg_attr(all(unix, not(target_vendor = "apple")), expect(unsafe_code, reason = "a section of that name"))]
    #[cfg_attr(all(unix, not(target_vendor = "apple")), unsafe(link_section = "ragtrace_0_1_L3"))]
    static OF_A_LATER_LAYOUT: [usize; 7] = [1; 7];
}

#[test]
fn what_another_copy_of_the_crate_brings_along_is_not_listed() {
    assert!(stages().iter().all(|stage| !stage.name().is_empty() && stage.target() != "another copy"));
}

#[test]
fn a_name_that_is_declared_twice_is_reported_at_install() {
    const CHILD: &str = "RAGTRACE_TEST_INSTALLS";
    twice();
    if std::env::var_os(CHILD).is_some() {
        drop(ragtrace::builder().console(ragtrace::Console::Off).install().unwrap());
        return;
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "catalog::a_name_that_is_declared_twice_is_reported_at_install"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    assert!(output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    let line = said.lines().find(|line| line.contains("`renamed.twice`")).unwrap_or_else(|| panic!("{said}"));
    assert!(line.starts_with("ragtrace: the stage `renamed.twice` is declared 2 times: "), "{line}");
    assert!(line.contains("catalog.rs:") && line.contains("renamed/src/lib.rs:"), "{line}");
    assert!(!said.contains("`catalog.typed`"));
}

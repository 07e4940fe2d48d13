//! `descriptor`: beside a function, in an inherent implementation, in a block; `renamed_from`.

use ragtrace::{FieldSource, Level, StageDescriptor, StageKind, stage, stages, testing, traced_stage};
use ragtrace_tests::captured;

#[traced_stage(
    "described.chunking",
    kind = chunk,
    level = "debug",
    target = "rag.ingestion",
    root,
    fields(size, name = "x"),
    ok(|out| longest = out.len()),
    err(|()| code = 1),
    record(pages: Option<u32>, note: &str),
    descriptor = CHUNKING
)]
async fn chunking(size: usize) -> Result<Vec<u8>, ()> {
    Ok(vec![0; size])
}

struct Index<T>(T);

impl<T> Index<T> {
    #[traced_stage("described.load", descriptor = LOAD)]
    fn load(self) -> T {
        self.0
    }
}

mod inner {
    /// A constant is as visible as its function.
    #[ragtrace::traced_stage("described.inner", descriptor = INNER)]
    pub(super) fn inner() {}
}

const NAME: &str = CHUNKING.name();

#[test]
fn a_descriptor_says_what_the_attribute_says() {
    assert_eq!(NAME, "described.chunking");
    assert_eq!((CHUNKING.kind(), CHUNKING.level()), (StageKind::Chunk, Level::Debug));
    assert_eq!((CHUNKING.target(), CHUNKING.is_root()), ("rag.ingestion", true));
    assert!(CHUNKING.file().ends_with("descriptors.rs"));
    assert_eq!(CHUNKING.line(), 6);
    let fields: Vec<_> = CHUNKING.fields().iter().map(|field| (field.name(), field.source(), field.ty())).collect();
    assert_eq!(
        fields,
        [
            ("size", FieldSource::Start, None),
            ("name", FieldSource::Start, None),
            ("longest", FieldSource::Ok, None),
            ("code", FieldSource::Err, None),
            ("pages", FieldSource::Record, Some("Option<u32>")),
            ("note", FieldSource::Record, Some("&str")),
        ]
    );
    let (_, captured) = captured(async {
        inner::inner();
        Index(1).load();
        chunking(2).await
    });
    let record = captured.of(&CHUNKING).completed().one();
    assert_eq!(
        (record.logger(), record.level(), record.kind()),
        ("rag.ingestion", Level::Debug, Some(StageKind::Chunk))
    );
    assert_eq!(captured.of(&Index::<u8>::LOAD).completed().len(), 1);
    assert_eq!(captured.of(&inner::INNER).completed().len(), 1);

    #[traced_stage("described.local", descriptor = LOCAL)]
    fn local() {}
    local();
    let stage: StageDescriptor = LOCAL;
    assert_eq!(stage.target(), module_path!());
}

#[traced_stage("described.splitting", renamed_from = "described.cutting", fields(size), descriptor = SPLITTING)]
fn splitting(size: usize) -> usize {
    size
}

#[test]
fn a_descriptor_says_the_older_name_and_views_go_by_the_current_one() {
    const OLDER: Option<&str> = SPLITTING.renamed_from();
    assert_eq!((SPLITTING.name(), OLDER), ("described.splitting", Some("described.cutting")));
    assert_eq!(CHUNKING.renamed_from(), None);
    let ((), captured) = testing::capture_sync(|| {
        let n = stage!("described.block", renamed_from = "_described.old_block_2", { splitting(1) });
        assert_eq!(n, 1);
    });
    assert_eq!(captured.of(&SPLITTING).completed().one().stage(), Some("described.splitting"));
    let older = |name| stages().into_iter().find(|stage| stage.name() == name).and_then(StageDescriptor::renamed_from);
    assert_eq!(older("described.splitting"), OLDER);
    assert_eq!(older("described.block"), Some("_described.old_block_2"));
}

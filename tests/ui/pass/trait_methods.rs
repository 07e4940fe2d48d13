//! Native async functions in traits, with default bodies and in implementations; associated types.

use std::future::Future;

use ragtrace::traced_stage;
use ragtrace_tests::captured;

trait Retriever {
    type Hit: Clone + Send;
    type Error: std::error::Error;

    async fn search(&self, query: &str) -> Result<Vec<Self::Hit>, Self::Error>;

    #[traced_stage("retriever.best", descriptor = BEST, fields(query))]
    async fn best(&self, query: &str) -> Result<Option<Self::Hit>, Self::Error> {
        Ok(self.search(query).await?.first().cloned())
    }

    #[traced_stage("retriever.name")]
    fn name(&self) -> &'static str {
        "retriever"
    }

    fn later(&self) -> impl Future<Output = usize> + Send;
}

struct Words(Vec<String>);

impl Retriever for Words {
    type Hit = String;
    type Error = std::fmt::Error;

    #[traced_stage("words.search")]
    async fn search(&self, query: &str) -> Result<Vec<Self::Hit>, Self::Error> {
        if query.is_empty() {
            return Err(std::fmt::Error);
        }
        Ok(self.0.iter().filter(|word| word.contains(query)).cloned().collect())
    }

    #[traced_stage("words.later")]
    fn later(&self) -> impl Future<Output = usize> + Send {
        let len = self.0.len();
        async move { len }
    }
}

#[test]
fn a_method_of_a_trait_is_a_stage() {
    let ((), captured) = captured(async {
        let words = Words(vec!["pear".into(), "apple".into()]);
        assert_eq!(words.best("ap").await, Ok(Some("apple".into())));
        assert_eq!(words.best("").await, Err(std::fmt::Error));
        assert_eq!((words.name(), words.later().await), ("retriever", 2));
    });
    assert_eq!(captured.stage("words.search").completed().one().count(), Some(1));
    assert_eq!(captured.of(&Words::BEST).failed().len(), 1);
    assert_eq!(captured.of(&<Words as Retriever>::BEST).completed().len(), 1);
    assert_eq!(captured.stage("words.later").completed().len(), 1);
}

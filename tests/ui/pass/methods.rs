//! Methods with every receiver, associated functions, and types that name `Self`.

use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use ragtrace::traced_stage;
use ragtrace_tests::captured;

#[derive(Clone, Debug, PartialEq)]
struct Index<T> {
    name: String,
    items: Vec<T>,
}

impl<T: Clone + Send + Sync> Index<T> {
    const EMPTY: usize = 0;

    #[traced_stage("index.new", fields(name))]
    fn new(name: &str) -> Self {
        Self { name: name.to_owned(), items: Vec::with_capacity(Self::EMPTY) }
    }

    #[traced_stage("index.add", fields(self.name, before = self.items.len()))]
    async fn add(&mut self, item: T) -> &mut Self {
        tokio::task::yield_now().await;
        self.items.push(item);
        self
    }

    #[traced_stage("index.get")]
    async fn get(&self, at: usize) -> Option<&T> {
        self.items.get(at)
    }

    #[traced_stage("index.into")]
    async fn into_items(self) -> Vec<T> {
        self.items
    }

    #[traced_stage("index.boxed")]
    fn boxed(self: Box<Self>) -> usize {
        self.items.len()
    }

    #[traced_stage("index.rc")]
    fn rc(self: &Rc<Self>) -> Rc<Self> {
        Rc::clone(self)
    }

    #[traced_stage("index.arc")]
    async fn arc(self: Arc<Self>) -> Arc<Self> {
        self
    }

    #[traced_stage("index.pinned")]
    async fn pinned(self: Pin<&mut Self>) -> usize {
        self.items.len()
    }

    #[traced_stage("index.moved", fields(self.name))]
    async fn moved(mut self, item: T) -> Result<Self, String> {
        self.items.push(item);
        Ok(self)
    }
}

#[test]
fn a_method_is_a_stage() {
    let (index, captured) = captured(async {
        let mut index = Index::new("words");
        index.add("a").await.add("b").await;
        assert_eq!(index.get(1).await, Some(&"b"));
        assert_eq!(Box::new(index.clone()).boxed(), 2);
        assert_eq!(Rc::new(index.clone()).rc().items.len(), 2);
        assert_eq!(Arc::new(index.clone()).arc().await.items.len(), 2);
        assert_eq!(Pin::new(&mut index).pinned().await, 2);
        let moved = index.moved("c").await;
        moved.unwrap().into_items().await
    });
    assert_eq!(index, ["a", "b", "c"]);
    let added = captured.stage("index.add").started();
    let before: Vec<_> = added.iter().map(|run| run.field("before").and_then(ragtrace::Value::as_u64)).collect();
    assert_eq!(before, [Some(0), Some(1)]);
    assert_eq!(captured.stage("index.new").started().one().field("name").and_then(|name| name.as_str()), Some("words"));
    assert_eq!(captured.stage("index.into").completed().one().count(), Some(3));
}

//! Tests the ids of requests as applications set and read them.

use std::cell::RefCell;
use std::collections::HashSet;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::thread;

use ragtrace_core::RequestContext;

/// Texts that applications use as ids, and some unusual ones.
fn odd_ids() -> Vec<String> {
    let mut ids = ["", "a", "seven b", "eight by", "nine byte", "ünïcödé 日本語 🦀", "\0\n\"\\", "req-1"]
        .map(str::to_owned)
        .to_vec();
    ids.extend([15, 16, 17, 255, 256, 70_000].map(|length| "x".repeat(length)));
    ids
}

fn is_fresh(id: &str) -> bool {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    id.len() == 36 && id.strip_prefix("req-").is_some_and(|digits| digits.bytes().all(is_digit))
}

#[test]
fn fresh_request_ids_are_well_formed_and_differ_on_all_threads() {
    const EACH: usize = 5_000;
    let of_one = || {
        let ids = (0..EACH).map(|_| RequestContext::new().request_id().expect("one of its own").to_owned());
        ids.collect::<Vec<_>>()
    };
    let ids = thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(of_one)).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("it makes ids")).collect::<Vec<_>>()
    });
    assert!(ids.iter().all(|id| is_fresh(id)), "{ids:?}");
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 4 * EACH);
}

#[test]
fn a_request_id_is_the_same_whoever_asks_and_whenever() {
    let request = RequestContext::new();
    let before_it_was_read = request.clone().with_user_id("alice");
    let id = request.request_id().map(str::to_owned);
    assert_eq!(request.request_id(), id.as_deref());
    assert_eq!(before_it_was_read.request_id(), id.as_deref());
    assert_eq!(request.clone().with_tenant_id("acme").request_id(), id.as_deref());
    let of_scope = request.sync_scope(|| RequestContext::current()?.request_id().map(str::to_owned));
    assert_eq!(of_scope, id);
    let of_threads = thread::scope(|scope| {
        let asking: Vec<_> = (0..4).map(|_| scope.spawn(|| request.request_id().map(str::to_owned))).collect();
        asking.into_iter().map(|thread| thread.join().expect("it reads")).collect::<Vec<_>>()
    });
    assert!(of_threads.iter().all(|of_thread| *of_thread == id), "{of_threads:?}");
}

#[test]
fn ids_are_kept_as_they_are_given() {
    for id in odd_ids() {
        let request = RequestContext::new()
            .with_request_id(&*id)
            .with_user_id(&*id)
            .with_tenant_id(id.clone())
            .with_session_id(&*id)
            .with_request_type(&*id);
        let ids = [request.request_id(), request.user_id(), request.tenant_id(), request.session_id()];
        assert_eq!(ids, [Some(&*id); 4]);
        assert_eq!(request.request_type(), Some(&*id));
    }
}

#[test]
fn a_clone_that_is_changed_leaves_the_context_that_it_was_made_of() {
    let request = RequestContext::new().with_user_id("alice").with_baggage("plan", "free");
    let (fresh, trace) = (request.request_id().map(str::to_owned), request.trace_id());
    let threads: Vec<_> = (0..4)
        .map(|number| {
            let clone = request.clone();
            thread::spawn(move || {
                let changed = clone
                    .with_user_id(format!("user-{number}"))
                    .with_request_id(format!("id-{number}"))
                    .with_baggage("plan", "paid");
                let of_scope = changed.sync_scope(|| RequestContext::current().expect("a scope"));
                assert_eq!(of_scope.user_id(), Some(&*format!("user-{number}")));
                assert_eq!(of_scope.request_id(), Some(&*format!("id-{number}")));
                assert_eq!((of_scope.baggage_item("plan"), of_scope.trace_id()), (Some("paid"), trace));
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("its context is its own");
    }
    assert_eq!((request.user_id(), request.request_id()), (Some("alice"), fresh.as_deref()));
    assert_eq!((request.baggage_item("plan"), request.tenant_id()), (Some("free"), None));
}

#[test]
fn json_and_debug_have_the_ids_that_are_there() {
    let bare: serde_json::Value = serde_json::from_str(&RequestContext::bare().to_json()).expect("JSON");
    assert_eq!(bare.as_object().expect("an object").keys().collect::<Vec<_>>(), ["elapsed_ms", "trace_id"]);
    for id in odd_ids() {
        let request = RequestContext::new().with_user_id(&*id).with_tenant_id("acme").with_baggage("plan", &*id);
        let json: serde_json::Value = serde_json::from_str(&request.to_json()).expect("JSON");
        assert_eq!(json["request_id"].as_str(), request.request_id());
        assert_eq!((json["user_id"].as_str(), json["tenant_id"].as_str()), (Some(&*id), Some("acme")));
        assert_eq!(json["baggage"]["plan"].as_str(), Some(&*id));
        assert_eq!(json["trace_id"], request.trace_id().to_string());
        let debug = format!("{request:?}");
        let inside = debug.strip_prefix("RequestContext(").and_then(|rest| rest.strip_suffix(')')).expect("its form");
        let inside: serde_json::Value = serde_json::from_str(inside).expect("JSON");
        assert_eq!(inside["request_id"], json["request_id"]);
    }
}

/// A future that is ready at its second poll, and that notes the user in whose context it is
/// dropped.
struct NotesDrop<'a>(u32, &'a RefCell<Vec<Option<String>>>);

impl Future for NotesDrop<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        self.0 += 1;
        if self.0 == 2 { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Drop for NotesDrop<'_> {
    fn drop(&mut self) {
        let user = RequestContext::current().and_then(|context| context.user_id().map(str::to_owned));
        self.1.borrow_mut().push(user);
    }
}

#[test]
fn a_future_is_dropped_in_its_scope_once_whether_it_is_ready_or_not() {
    let alice = RequestContext::new().with_user_id("alice");
    let mut cx = Context::from_waker(Waker::noop());
    for polls in 0..4 {
        let seen = RefCell::new(Vec::new());
        {
            let mut scoped = pin!(alice.scope(NotesDrop(0, &seen)));
            let results: Vec<_> = (0..polls).map(|_| scoped.as_mut().poll(&mut cx).is_ready()).collect();
            assert_eq!(results, [false, true, false][..polls], "pending after it was ready");
            assert_eq!(seen.borrow().len(), usize::from(polls >= 2), "dropped as soon as it is ready");
        }
        assert_eq!(*seen.borrow(), [Some("alice".to_owned())]);
        assert!(RequestContext::current().is_none());
    }
}

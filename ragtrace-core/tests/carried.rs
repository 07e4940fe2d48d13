//! Tests contexts that `tracing` spans carry.

use proptest::prelude::*;
use ragtrace_core::RequestContext;
use ragtrace_core::context::carried::{Carrier, enter, exit};

fn carrier(span: u64) -> Carrier {
    Carrier { layer: 1, span }
}

/// Returns the user of the current context. Each context in these tests has a different user.
fn user() -> Option<String> {
    RequestContext::current().and_then(|context| context.user_id().map(str::to_owned))
}

fn context(user: &str) -> RequestContext {
    RequestContext::new().with_user_id(user)
}

#[test]
fn spans_that_are_left_in_the_order_they_were_entered_each_take_back_their_own() {
    let (one, two) = (context("one"), context("two"));
    enter(carrier(1), &one);
    enter(carrier(2), &two);
    exit(carrier(1));
    assert_eq!(user().as_deref(), Some("two"));
    exit(carrier(2));
    assert_eq!(user(), None);
}

#[test]
fn a_span_that_is_entered_twice_is_left_twice() {
    let (one, two) = (context("one"), context("two"));
    enter(carrier(1), &one);
    enter(carrier(1), &one);
    two.sync_scope(|| {
        enter(carrier(1), &one);
        assert_eq!(user().as_deref(), Some("one"));
        exit(carrier(1));
        assert_eq!(user().as_deref(), Some("two"));
    });
    exit(carrier(1));
    assert_eq!(user().as_deref(), Some("one"));
    exit(carrier(1));
    assert_eq!(user(), None);
}

#[test]
fn a_scope_takes_along_what_was_entered_in_it_and_is_not_left() {
    let (outside, inside) = (context("outside"), context("inside"));
    outside.sync_scope(|| {
        context("scope").sync_scope(|| enter(carrier(1), &inside));
        assert_eq!(user().as_deref(), Some("outside"));
        exit(carrier(1));
        assert_eq!(user().as_deref(), Some("outside"));
    });
    assert_eq!(user(), None);
}

#[test]
fn a_span_that_is_left_inside_a_scope_is_off_the_thread_when_the_scope_is() {
    let (one, two) = (context("one"), context("two"));
    enter(carrier(1), &one);
    enter(carrier(2), &two);
    context("scope").sync_scope(|| {
        exit(carrier(2));
        assert_eq!(user().as_deref(), Some("scope"));
        exit(carrier(1));
        assert_eq!(user().as_deref(), Some("scope"));
    });
    assert_eq!(user(), None);
}

#[test]
fn numbers_of_another_layer_are_those_of_other_spans() {
    enter(carrier(1), &context("one"));
    exit(Carrier { layer: 2, span: 1 });
    assert_eq!(user().as_deref(), Some("one"));
    exit(carrier(1));
    assert_eq!(user(), None);
}

#[derive(Clone, Debug)]
enum Step {
    Enter(u64),
    Exit(u64),
    Scope(usize, Vec<Step>),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![(0..4_u64).prop_map(Step::Enter), (0..4_u64).prop_map(Step::Exit)];
    let step = step.prop_recursive(4, 40, 8, |inner| {
        prop_oneof![
            2 => inner.clone(),
            1 => (0..3_usize, prop::collection::vec(inner, 0..8)).prop_map(|(at, steps)| Step::Scope(at, steps)),
        ]
    });
    prop::collection::vec(step, 0..16)
}

/// A reference model of the promised behavior: the entered spans and scopes, from oldest to newest.
#[derive(Clone, Debug, Default)]
struct Model(Vec<(Option<u64>, String)>);

impl Model {
    fn user(&self) -> Option<String> {
        self.0.last().map(|(_, user)| user.clone())
    }
}

struct Contexts {
    of_spans: Vec<RequestContext>,
    of_scopes: Vec<RequestContext>,
}

fn run(contexts: &Contexts, steps: &[Step], model: &mut Model) -> Result<(), TestCaseError> {
    for step in steps {
        match step {
            Step::Enter(span) => {
                let at = usize::try_from(*span).expect("a small number");
                enter(carrier(*span), &contexts.of_spans[at]);
                model.0.push((Some(*span), format!("span {span}")));
            }
            Step::Exit(span) => {
                exit(carrier(*span));
                if let Some(at) = model.0.iter().rposition(|(entered, _)| *entered == Some(*span)) {
                    model.0.remove(at);
                }
            }
            Step::Scope(at, steps) => {
                model.0.push((None, contexts.of_scopes[*at].user_id().unwrap_or_default().to_owned()));
                contexts.of_scopes[*at].sync_scope(|| run(contexts, steps, model))?;
                let scope = model.0.iter().rposition(|(span, _)| span.is_none()).expect("its own");
                model.0.truncate(scope);
            }
        }
        prop_assert_eq!(user(), model.user(), "after {:?}", step);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn in_any_order_the_thread_has_the_context_of_what_was_entered_last_and_ends_as_it_began(steps in steps()) {
        let of_spans: Vec<_> = (0..4).map(|span| context(&format!("span {span}"))).collect();
        // Two of the scopes have the same contexts as spans.
        let of_scopes = vec![of_spans[0].clone(), of_spans[1].clone(), context("scope")];
        let contexts = Contexts { of_spans, of_scopes };
        let mut model = Model::default();
        run(&contexts, &steps, &mut model)?;
        while let Some((span, _)) = model.0.pop() {
            exit(carrier(span.expect("scopes have left")));
            prop_assert_eq!(user(), model.user());
        }
        prop_assert_eq!(user(), None);
    }
}

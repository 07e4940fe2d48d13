//! Plain functions.

use ragtrace::{testing, traced_stage};

#[traced_stage(fields(n))]
fn factorial(n: u64) -> u64 {
    if n == 0 {
        return 1;
    }
    n * factorial(n - 1)
}

#[traced_stage]
fn half(n: u32) -> Option<u32> {
    let even = n.is_multiple_of(2).then_some(n)?;
    Some(even / 2)
}

#[traced_stage]
fn by_reference(words: &mut Vec<String>) -> &mut String {
    words.push(String::new());
    let last = words.len() - 1;
    &mut words[last]
}

#[traced_stage]
fn closure(by: u32) -> impl Fn(u32) -> u32 {
    move |n: u32| n + by
}

#[traced_stage]
fn iterator<'a>(words: &'a [&'a str]) -> impl Iterator<Item = usize> + 'a {
    words.iter().map(|word| word.len())
}

#[traced_stage]
fn pointer() -> fn(u8) -> u8 {
    u8::reverse_bits
}

#[traced_stage]
extern "C" fn exported(n: i32) -> i32 {
    n + 1
}

#[test]
fn a_function_is_a_stage() {
    let (output, captured) = testing::capture_sync(|| {
        let mut words = vec![];
        by_reference(&mut words).push('x');
        assert_eq!(words, ["x"]);
        assert_eq!(closure(1)(2), 3);
        assert_eq!(iterator(&["a", "bc"]).sum::<usize>(), 3);
        assert_eq!(pointer()(1), 128);
        assert_eq!(exported(1), 2);
        (factorial(3), half(4), half(3))
    });
    assert_eq!(output, (6, Some(2), None));
    let runs = captured.stage("factorial").started();
    assert_eq!(runs.len(), 4);
    let parents: Vec<_> = runs.iter().map(ragtrace::Record::parent_span_id).collect();
    let spans: Vec<_> = runs.iter().map(ragtrace::Record::span_id).collect();
    assert_eq!(parents[1..], spans[..3], "each call is inside the one before");
    assert_eq!(captured.stage("factorial").completed().iter().filter(|run| run.busy().is_some()).count(), 0);
}

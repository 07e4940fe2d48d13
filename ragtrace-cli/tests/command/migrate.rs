//! Tests of creating stores.

use std::process::Stdio;

use crate::support::File;
use crate::{code, command, ragtrace, stderr};

#[test]
fn many_processes_may_make_the_same_store_at_once() {
    for _ in 0..3 {
        let file = File::new();
        let start = |_| command(&file, &["migrate"]).stderr(Stdio::piped()).spawn().expect("runs");
        let processes: Vec<_> = (0..8).map(start).collect();
        for process in processes {
            let output = process.wait_with_output().expect("ends");
            assert_eq!((code(&output), stderr(&output).as_str()), (Some(0), ""));
        }
        assert_eq!(code(&ragtrace(&file, &["trace", "last"])), Some(1), "made, and empty");
    }
}

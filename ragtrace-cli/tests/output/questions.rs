//! Questions that somebody has at night, each answered by one command.

use super::run::stdout;
use crate::fixture::{ANSWER, BULK, Fixture, STUCK, UPLOAD, trace_id};

#[test]
fn why_did_the_upload_of_alice_fail_an_hour_ago() {
    let fixture = Fixture::new();
    let folder = fixture.file.folder.path();
    let errors = stdout(folder, &["errors", "--user", "alice", "--since", "2h", "--width", "160"]);
    assert!(errors.contains("PdfError") && errors.contains(&trace_id(UPLOAD).to_string()), "{errors}");
    assert!(!errors.contains(&trace_id(BULK).to_string()), "that of another user: {errors}");
    let trace = stdout(folder, &["trace", &trace_id(UPLOAD).to_string(), "--logs"]);
    let (document, chain) = trace.split_once("PdfError: page 3 of terms.pdf has a broken font").expect("the error");
    assert!(document.trim_end_matches(['│', ' ', '\n']).contains("document terms.pdf"), "{trace}");
    assert!(chain.contains("↳ unexpected end of file") && chain.contains("ERROR the parser gave up page=3"), "{trace}");
}

#[test]
fn which_stage_got_slower_since_yesterday() {
    let fixture = Fixture::new();
    let stats = stdout(fixture.file.folder.path(), &["stats", "--since", "24h", "--width", "200"]);
    let first = stats.lines().nth(1).expect("a row");
    assert!(first.starts_with("retrieval ") && first.contains("slower"), "{stats}");
    assert!(!stats.lines().any(|line| line.starts_with("generation ") && line.contains("slower")), "{stats}");
}

#[test]
fn what_is_stuck_right_now() {
    let fixture = Fixture::new();
    let stuck = stdout(fixture.file.folder.path(), &["inflight", "--width", "120"]);
    let rows: Vec<&str> = stuck.lines().skip(1).collect();
    let of_bob = |row: &&str| row.contains(" bob ") && row.contains(&trace_id(STUCK).to_string());
    assert!(rows.len() == 2 && rows.iter().all(of_bob), "{stuck}");
    assert!(rows.iter().any(|row| row.contains("chunk_embedding")), "{stuck}");
}

#[test]
fn which_documents_was_this_answer_made_of() {
    let fixture = Fixture::new();
    let trace = stdout(fixture.file.folder.path(), &["trace", &trace_id(ANSWER).to_string(), "--width", "120"]);
    let used = |line: &&str| line.contains("  used  ");
    let reranked = trace.lines().skip_while(|line| !line.contains("reranking")).filter(used);
    let reranked: Vec<&str> = reranked.collect();
    assert_eq!(reranked.len(), 3, "{trace}");
    for (line, document) in reranked.iter().zip(["terms.pdf#19", "handbook-of-the-year-2026.pdf#17", "terms.pdf#22"]) {
        assert!(line.contains(&format!("chunk:{document}  ")), "{line}");
    }
}

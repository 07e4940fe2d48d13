//! The end of the viewer.

use std::io::Read;
use std::time::{Duration, Instant};

use crate::support::ingestion;
use crate::viewer::{Viewer, holding};

#[test]
fn it_ends_at_a_signal_although_a_page_follows_new_records() {
    let file = holding(ingestion());
    for signal in ["TERM", "INT"] {
        let viewer = Viewer::of(&file.url(), &[]);
        let mut stream = viewer.stream("/live/events");
        let _idle = crate::client::connect(viewer.address);
        let asked = Instant::now();
        viewer.signal(signal);
        let mut rest = String::new();
        stream.read_to_string(&mut rest).expect("the stream ends");
        assert!(rest.contains("event: end"), "{rest}");
        let (status, said) = viewer.wait();
        assert!(status.success(), "{signal}: {said}");
        assert!(said.contains("ending"), "{said}");
        assert!(asked.elapsed() < Duration::from_secs(30));
    }
}

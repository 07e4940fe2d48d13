//! Reads from the recorder, which stands in for backends that cannot be run here: it writes each
//! request as a line of JSON.

use std::path::PathBuf;

use serde_json::Value as Json;

/// A recorder, by the file that its standard output goes to.
#[derive(Clone, Debug)]
pub struct Recorder(pub PathBuf);

impl Recorder {
    /// Returns the requests to a path so far, in order.
    ///
    /// # Panics
    ///
    /// Panics if a request has a body that could not be read: wrongly compressed, malformed JSON,
    /// or parts with wrong lengths.
    pub fn requests(&self, path: &str) -> Vec<Json> {
        let output = std::fs::read_to_string(&self.0).expect("its output");
        // The last line may be incomplete.
        let whole = output.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let requests = whole.lines().map(|line| serde_json::from_str::<Json>(line).expect("a line of JSON"));
        let requests: Vec<_> = requests.filter(|request| request["path"] == path).collect();
        for request in &requests {
            assert!(request["error"].is_null(), "{request}");
        }
        requests
    }
}

//! The records of the requests to a test's server.

use ragtrace::testing::Captured;
use ragtrace::{Event, Record, Value};

/// The records of a test.
#[derive(Debug)]
pub struct Requests {
    captured: Captured,
}

/// The two records of a request.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The record of its start.
    pub received: &'a Record,
    /// The record of its end.
    pub ended: &'a Record,
}

impl Requests {
    pub(crate) fn new(captured: Captured) -> Self {
        Self { captured }
    }

    /// Returns everything that was recorded.
    pub fn captured(&self) -> &Captured {
        &self.captured
    }

    /// Returns the requests, in the order in which they came.
    ///
    /// # Panics
    ///
    /// Panics if a request does not have exactly one record of its start and one of its end.
    pub fn all(&self) -> Vec<Request<'_>> {
        let of_layer = |record: &&Record| record.logger() == "ragtrace::http";
        let records: Vec<&Record> = self.captured.records().iter().filter(of_layer).collect();
        let starts: Vec<&Record> = records.iter().copied().filter(|record| record.event() == Event::Started).collect();
        assert_eq!(starts.len() * 2, records.len(), "each request has two records: {records:#?}");
        let end_of = |received: &'_ Record| {
            let mut own = records.iter().copied().filter(|record| record.span_id() == received.span_id());
            let ended = own.rfind(|record| record.event().is_end());
            ended.unwrap_or_else(|| panic!("no end of {}", received.to_json()))
        };
        let requests: Vec<_> =
            starts.into_iter().map(|received| Request { received, ended: end_of(received) }).collect();
        for Request { received, .. } in &requests {
            assert_eq!(received.message(), "http_request_received");
        }
        requests
    }

    /// Returns the only request.
    ///
    /// # Panics
    ///
    /// Panics if there is none, or more than one.
    pub fn one(&self) -> Request<'_> {
        let all = self.all();
        assert_eq!(all.len(), 1, "{all:#?}");
        all[0]
    }
}

impl Request<'_> {
    /// Returns the name of the stage.
    pub fn stage(&self) -> &str {
        self.received.stage().unwrap_or_default()
    }

    /// Returns the message of the end.
    pub fn message(&self) -> String {
        self.ended.message().into_owned()
    }

    /// Returns the status of the answer, if there was one.
    ///
    /// # Panics
    ///
    /// Panics if the status is recorded, but not as a number.
    pub fn status(&self) -> Option<u64> {
        match self.ended.field("http.response.status_code") {
            Some(Value::U64(status)) => Some(*status),
            None => None,
            other => panic!("a status is a number: {other:?}"),
        }
    }

    /// Returns how many bytes of the answer's body were sent.
    pub fn sent(&self) -> Option<f64> {
        self.ended.metric("http.response.body.size")
    }

    /// Returns the type of the error.
    pub fn error_type(&self) -> Option<&str> {
        self.ended.error().map(ragtrace::ErrorInfo::type_name)
    }

    /// Returns a field of the end, which repeats those of the start.
    pub fn text(&self, name: &str) -> Option<String> {
        self.ended.field(name).map(ToString::to_string)
    }
}

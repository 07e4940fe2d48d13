//! Reads server-sent events, as a browser does.

use std::io::Read;

use serde_json::Value;

use super::client::{Answer, Body};

/// A stream of events.
pub(crate) struct Events {
    pub(crate) answer: Answer,
    pub(crate) reader: Body,
}

/// An event.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sent {
    pub(crate) name: String,
    pub(crate) id: Option<String>,
    pub(crate) data: Value,
}

impl Sent {
    /// Returns the stage that the event is about, and what happened to it.
    pub(crate) fn stage(&self) -> (&str, &str) {
        let text = |name: &str| self.data[name].as_str().expect("a text");
        (text("stage"), text("event"))
    }
}

impl Events {
    fn line(&mut self) -> Option<String> {
        let mut line = Vec::new();
        let mut byte = [0];
        loop {
            match self.reader.read(&mut byte) {
                Ok(1) if byte[0] == b'\n' => return Some(String::from_utf8(line).expect("UTF-8")),
                Ok(1) => line.push(byte[0]),
                _ => return None,
            }
        }
    }
}

impl Iterator for Events {
    type Item = Sent;

    /// Returns the next event, without comments, or `None` at the end of the stream.
    fn next(&mut self) -> Option<Sent> {
        let (mut name, mut id, mut data) = (None, None, None);
        loop {
            let line = self.line()?;
            match line.split_once(':').map(|(field, value)| (field, value.strip_prefix(' ').unwrap_or(value))) {
                Some(("event", value)) => name = Some(value.to_owned()),
                Some(("id", value)) => id = Some(value.to_owned()),
                Some(("data", value)) => data = Some(serde_json::from_str(value).expect("JSON")),
                _ => (),
            }
            if line.is_empty()
                && let Some(data) = data.take()
            {
                return Some(Sent { name: name.take().unwrap_or_default(), id, data });
            }
        }
    }
}

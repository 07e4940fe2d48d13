//! Writes a JSON object whose members keep the order in which they are added, which a map of
//! `serde_json` does not.

use serde_json::Value as Json;

/// A JSON object that is being written. The names of its members have to differ.
pub(crate) struct Object(String);

impl Object {
    pub(crate) fn new() -> Self {
        Self("{".to_owned())
    }

    /// Continues an object that is already written.
    pub(crate) fn of(mut written: String) -> Self {
        written.pop();
        Self(written)
    }

    pub(crate) fn with(self, name: &str, value: impl Into<Json>) -> Self {
        self.with_json(name, &value.into().to_string())
    }

    /// Adds a member whose value is already JSON.
    pub(crate) fn with_json(mut self, name: &str, json: &str) -> Self {
        if !self.0.ends_with('{') {
            self.0.push(',');
        }
        self.0.push_str(&Json::from(name).to_string());
        self.0.push(':');
        self.0.push_str(json);
        self
    }

    pub(crate) fn close(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_stand_in_the_order_in_which_they_were_written() {
        let written = Object::new().with("b", 1).with("a \"name\"", None::<bool>).with_json("c", "[2.50]").close();
        assert_eq!(written, r#"{"b":1,"a \"name\"":null,"c":[2.50]}"#);
        assert_eq!(Object::of(written).with("a", "{").close(), r#"{"b":1,"a \"name\"":null,"c":[2.50],"a":"{"}"#);
        assert_eq!(Object::of("{}".to_owned()).with("a", true).close(), r#"{"a":true}"#);
    }
}

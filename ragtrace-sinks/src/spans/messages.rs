//! Parses the messages of a conversation: JSON of the form `[{"role": …, "content": …}]`, as in the
//! chat interfaces of models.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

/// A message: its role and its content.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Message<'a> {
    #[serde(borrow)]
    pub(crate) role: Cow<'a, str>,
    /// A text, a list of parts, or nothing if there are only tool calls. As JSON.
    #[serde(borrow, default)]
    pub(crate) content: Option<&'a RawValue>,
    /// The tool calls that a model asks for, as JSON.
    #[serde(borrow, default)]
    tool_calls: Option<&'a RawValue>,
    /// The id of the tool call that this message answers.
    #[serde(borrow, default)]
    pub(crate) tool_call_id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(crate) name: Option<Cow<'a, str>>,
}

impl Message<'_> {
    /// Returns the text of the content, or the texts of its parts, one per line.
    pub(crate) fn text(&self) -> Cow<'_, str> {
        #[derive(Deserialize)]
        struct Part<'a> {
            #[serde(borrow, default)]
            text: Option<Cow<'a, str>>,
        }
        let Some(content) = self.content.map(RawValue::get) else { return Cow::Borrowed("") };
        if let Ok(text) = serde_json::from_str::<Text<'_>>(content) {
            return text.0;
        }
        if let Ok(parts) = serde_json::from_str::<Vec<Part<'_>>>(content)
            && parts.iter().any(|part| part.text.is_some())
        {
            let texts: Vec<Cow<'_, str>> = parts.into_iter().filter_map(|part| part.text).collect();
            return Cow::Owned(texts.join("\n"));
        }
        Cow::Borrowed(content)
    }
}

/// A tool call that a model asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ToolCall<'a> {
    pub(crate) id: Option<Cow<'a, str>>,
    pub(crate) name: Cow<'a, str>,
    /// As JSON, even if it came as a string that contains JSON.
    pub(crate) arguments: Cow<'a, str>,
}

impl Message<'_> {
    /// Returns the tool calls that the message asks for, each in the form of `OpenAI`'s interface
    /// (`{"id", "function": {"name", "arguments"}}`) or as one object (`{"id", "name",
    /// "arguments"}`, or `args` or `input` for the last). Other forms are left out.
    pub(crate) fn tool_calls(&self) -> Vec<ToolCall<'_>> {
        #[derive(Deserialize)]
        struct Call<'a> {
            #[serde(borrow, default)]
            id: Option<Cow<'a, str>>,
            #[serde(borrow, default)]
            name: Option<Cow<'a, str>>,
            #[serde(borrow, default, alias = "args", alias = "input")]
            arguments: Option<&'a RawValue>,
            #[serde(borrow, default)]
            function: Option<Function<'a>>,
        }
        #[derive(Deserialize)]
        struct Function<'a> {
            #[serde(borrow)]
            name: Cow<'a, str>,
            #[serde(borrow, default)]
            arguments: Option<&'a RawValue>,
        }
        let calls = self.tool_calls.map_or("[]", RawValue::get);
        let calls: Vec<&RawValue> = serde_json::from_str(calls).unwrap_or_default();
        let read = |call: &'_ RawValue| {
            let call: Call<'_> = serde_json::from_str(call.get()).ok()?;
            let (name, arguments) = match call.function {
                Some(function) => (function.name, function.arguments),
                None => (call.name?, call.arguments),
            };
            let id = call.id.map(|id| Cow::Owned(id.into_owned()));
            let arguments = Cow::Owned(arguments.map_or_else(|| "{}".to_owned(), unwrapped));
            Some(ToolCall { id, name: Cow::Owned(name.into_owned()), arguments })
        };
        calls.into_iter().filter_map(read).collect()
    }
}

/// Returns JSON, or the JSON inside a JSON string.
fn unwrapped(json: &RawValue) -> String {
    let text = serde_json::from_str::<Text<'_>>(json.get()).map(|text| text.0);
    match text {
        Ok(text) if serde_json::from_str::<&RawValue>(&text).is_ok() => text.into_owned(),
        _ => json.get().to_owned(),
    }
}

/// A text that is borrowed if it has no escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// Parses a list of at least one message, or returns `None` for anything else.
pub(super) fn of_list(json: &str) -> Option<Vec<Message<'_>>> {
    let messages: Vec<Message<'_>> = serde_json::from_str(json).ok()?;
    messages.iter().all(is_message).then_some(messages).filter(|messages| !messages.is_empty())
}

/// Parses one message or a list of them.
pub(super) fn of_one_or_list(json: &str) -> Option<Vec<Message<'_>>> {
    of_list(json).or_else(|| {
        let message = serde_json::from_str(json).ok().filter(is_message)?;
        Some(vec![message])
    })
}

/// Returns `true` if the message has any content. Otherwise any object with a role would count as a
/// message.
fn is_message(message: &Message<'_>) -> bool {
    message.content.is_some() || message.tool_calls.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls(json: &str) -> Vec<(Option<String>, String, String)> {
        let messages = of_one_or_list(json).expect("a message");
        let owned =
            |call: ToolCall<'_>| (call.id.map(Cow::into_owned), call.name.into_owned(), call.arguments.into_owned());
        messages[0].tool_calls().into_iter().map(owned).collect()
    }

    #[test]
    fn calls_of_tools_are_read_in_every_shape_that_interfaces_have() {
        let expected = [(Some("c1".to_owned()), "weather".to_owned(), r#"{"city":"Paris"}"#.to_owned())];
        for call in [
            r#"{"id":"c1","type":"function","function":{"name":"weather","arguments":"{\"city\":\"Paris\"}"}}"#,
            r#"{"id":"c1","function":{"name":"weather","arguments":{"city":"Paris"}}}"#,
            r#"{"id":"c1","name":"weather","arguments":{"city":"Paris"}}"#,
            r#"{"id":"c1","name":"weather","args":{"city":"Paris"}}"#,
            r#"{"id":"c1","name":"weather","input":{"city":"Paris"}}"#,
        ] {
            assert_eq!(calls(&format!(r#"{{"role":"assistant","tool_calls":[{call}]}}"#)), expected, "{call}");
        }
    }

    #[test]
    fn what_is_no_call_is_left_out_beside_those_that_are() {
        let json =
            r#"{"role":"assistant","tool_calls":[7,{"id":"c1"},null,{"name":"now"},{"function":{"arguments":1}}]}"#;
        assert_eq!(calls(json), [(None, "now".to_owned(), "{}".to_owned())]);
        assert!(calls(r#"{"role":"assistant","tool_calls":"none"}"#).is_empty());
        let odd = r#"{"role":"assistant","tool_calls":[{"name":"say","arguments":"not JSON"}]}"#;
        assert_eq!(calls(odd)[0].2, r#""not JSON""#, "its arguments are JSON all the same");
    }

    #[test]
    fn a_content_is_a_text_or_the_texts_of_its_parts() {
        let text = |content: &str| {
            let json = format!(r#"[{{"role":"user","content":{content}}}]"#);
            of_list(&json).expect("a list").remove(0).text().into_owned()
        };
        assert_eq!(text(r#""a\nb""#), "a\nb");
        assert_eq!(text(r#"[{"type":"text","text":"a"},{"type":"image"},{"type":"text","text":"b"}]"#), "a\nb");
        assert_eq!(text(r#"[{"type":"image"}]"#), r#"[{"type":"image"}]"#, "what has no text is shown as it is");
        assert_eq!(text(r#"{"odd":1}"#), r#"{"odd":1}"#);
    }

    #[test]
    fn what_is_no_conversation_has_no_messages() {
        for json in [
            "[]",
            "{}",
            "7",
            "[7]",
            r#"[{"content":"no role"}]"#,
            r#"[{"role":"user"}]"#,
            r#"[{"role":7,"content":""}]"#,
            "[{",
        ] {
            assert!(of_list(json).is_none() && of_one_or_list(json).is_none(), "{json}");
        }
        assert!(of_list(r#"{"role":"user","content":"a"}"#).is_none());
    }
}

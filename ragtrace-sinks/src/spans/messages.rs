//! The messages of a conversation: JSON of the shape `[{"role": …, "content": …}]`, as the chat
//! interfaces of models have it.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

/// A message: who says it, and what.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Message<'a> {
    #[serde(borrow)]
    pub(crate) role: Cow<'a, str>,
    /// A text, a list of parts, or nothing where there are tool calls alone. As JSON.
    #[serde(borrow, default)]
    pub(crate) content: Option<&'a RawValue>,
    /// The calls of tools that a model asks for, as JSON.
    #[serde(borrow, default)]
    tool_calls: Option<&'a RawValue>,
    /// The call that a tool answers.
    #[serde(borrow, default)]
    pub(crate) tool_call_id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(crate) name: Option<Cow<'a, str>>,
}

impl Message<'_> {
    /// Returns the text of the content: itself, or the texts of its parts, one a line.
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

/// A call of a tool that a model asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ToolCall<'a> {
    pub(crate) id: Option<Cow<'a, str>>,
    pub(crate) name: Cow<'a, str>,
    /// As JSON, also where it came as a text that has JSON in it.
    pub(crate) arguments: Cow<'a, str>,
}

impl Message<'_> {
    /// Returns the calls of tools that the message asks for, each in the shape of OpenAI's interface
    /// (`{"id", "function": {"name", "arguments"}}`) or as one object (`{"id", "name", "arguments"}`, or
    /// `args` or `input` for the last). What is neither is left out.
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

/// Returns JSON, or that which is in a text of JSON.
fn unwrapped(json: &RawValue) -> String {
    let text = serde_json::from_str::<Text<'_>>(json.get()).map(|text| text.0);
    match text {
        Ok(text) if serde_json::from_str::<&RawValue>(&text).is_ok() => text.into_owned(),
        _ => json.get().to_owned(),
    }
}

/// A text that is borrowed where it has no escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// Reads a list of messages, which has one at least; `None` if it is anything else.
pub(super) fn of_list(json: &str) -> Option<Vec<Message<'_>>> {
    let messages: Vec<Message<'_>> = serde_json::from_str(json).ok()?;
    messages.iter().all(is_message).then_some(messages).filter(|messages| !messages.is_empty())
}

/// Reads one message or a list of them.
pub(super) fn of_one_or_list(json: &str) -> Option<Vec<Message<'_>>> {
    of_list(json).or_else(|| {
        let message = serde_json::from_str(json).ok().filter(is_message)?;
        Some(vec![message])
    })
}

/// Returns true for what says something: else any object with a role would be a message.
fn is_message(message: &Message<'_>) -> bool {
    message.content.is_some() || message.tool_calls.is_some()
}

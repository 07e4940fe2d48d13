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
    pub(crate) tool_calls: Option<&'a RawValue>,
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

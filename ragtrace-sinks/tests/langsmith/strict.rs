//! The checks with which LangSmith refuses a run, or the JSON of any part.

use std::collections::HashMap;

use ragtrace::uuid::Uuid;
use serde_json::Value as Json;

/// A run as the server stores it, part by part.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Run {
    pub(crate) main: Json,
    pub(crate) parts: HashMap<String, Json>,
}

impl Run {
    pub(crate) fn text(&self, name: &str) -> &str {
        self.main[name].as_str().unwrap_or_default()
    }

    pub(crate) fn part(&self, name: &str) -> &Json {
        self.parts.get(name).unwrap_or(&Json::Null)
    }

    pub(crate) fn metadata(&self) -> &Json {
        &self.part("extra")["metadata"]
    }

    /// Returns an error if LangSmith would answer 400 or 422, with the reason.
    pub(crate) fn fault(&self) -> Result<(), String> {
        const TYPES: [&str; 7] = ["tool", "chain", "llm", "retriever", "embedding", "prompt", "parser"];
        const MEMBERS: [&str; 10] = [
            "id",
            "trace_id",
            "dotted_order",
            "parent_run_id",
            "name",
            "run_type",
            "start_time",
            "end_time",
            "tags",
            "session_name",
        ];
        let main = self.main.as_object().ok_or("a run is an object")?;
        for name in main.keys() {
            expect(MEMBERS.contains(&name.as_str()), || format!("{name} is no member of a run"))?;
        }
        expect(TYPES.contains(&self.text("run_type")), || format!("run_type {:?}", self.text("run_type")))?;
        expect(!self.text("name").is_empty(), || "a run has a name".to_owned())?;
        expect(self.main["tags"].as_array().is_some_and(|tags| tags.iter().all(Json::is_string)), || {
            "tags".to_owned()
        })?;
        for name in ["inputs", "outputs"] {
            expect(self.part(name).is_object(), || format!("{name} is an object"))?;
        }
        expect(matches!(self.part("error"), Json::Null | Json::String(_)), || "error is a text".to_owned())?;
        expect(matches!(self.part("events"), Json::Null | Json::Array(_)), || "events is a list".to_owned())?;
        expect(matches!(self.part("extra"), Json::Null | Json::Object(_)), || "extra is an object".to_owned())?;
        self.order()
    }

    /// Checks the dotted order against ids and times.
    fn order(&self) -> Result<(), String> {
        let id = uuid_7(self.text("id"))?;
        let trace_id = uuid_7(self.text("trace_id"))?;
        let parent = self.main.get("parent_run_id").map(|id| uuid_7(id.as_str().unwrap_or_default())).transpose()?;
        let mut steps = Vec::new();
        for step in self.text("dotted_order").split('.') {
            let (time, id) = step.split_at_checked(22).ok_or_else(|| format!("a step {step:?}"))?;
            let is_time = time.bytes().enumerate().all(|(at, byte)| match at {
                8 => byte == b'T',
                21 => byte == b'Z',
                _ => byte.is_ascii_digit(),
            });
            expect(is_time, || format!("a time {time:?}"))?;
            expect(id.len() == 36 && id == id.to_lowercase(), || format!("an id {id:?}"))?;
            steps.push((time, uuid_7(id)?));
        }
        expect(steps.windows(2).all(|two| two[0].0 <= two[1].0), || "a child starts before its parent".to_owned())?;
        expect(steps[steps.len() - 1].1 == id, || "the last id is not the run's".to_owned())?;
        expect(steps[0].1 == trace_id, || "the first id is not the trace's".to_owned())?;
        let above = steps.len().checked_sub(2).map(|at| steps[at].1);
        expect(above == parent, || format!("the last but one is {above:?} and not {parent:?}"))?;
        let start = self.text("start_time");
        expect(compact(start) == steps[steps.len() - 1].0, || format!("start_time {start:?}"))?;
        expect(start <= self.text("end_time"), || "it ends before it starts".to_owned())?;
        expect(self.text("end_time").len() == 32 && self.text("end_time").ends_with("+00:00"), || "end_time".to_owned())
    }

    /// Returns the dotted order of the parent.
    pub(crate) fn above(&self) -> Option<&str> {
        self.text("dotted_order").rsplit_once('.').map(|(above, _)| above)
    }
}

/// Returns an RFC 3339 time in the form of a dotted order.
fn compact(time: &str) -> String {
    let digits: String = time.trim_end_matches("+00:00").chars().filter(|sign| !"-:.".contains(*sign)).collect();
    digits + "Z"
}

fn uuid_7(text: &str) -> Result<Uuid, String> {
    let id = Uuid::parse_str(text).map_err(|error| format!("{text:?}: {error}"))?;
    expect(id.get_version_num() == 7 && id.as_bytes()[8] >> 6 == 2, || format!("{id} is not of version 7"))?;
    Ok(id)
}

pub(crate) fn expect(is_so: bool, why: impl FnOnce() -> String) -> Result<(), String> {
    if is_so { Ok(()) } else { Err(why()) }
}

/// Parses JSON as LangSmith does: numbers up to 64 bits, and no name twice.
pub(crate) fn read_json(bytes: &[u8]) -> Result<Json, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    let mut in_text = false;
    let mut rest = text;
    while let Some(sign) = rest.chars().next() {
        if in_text {
            in_text = sign != '"';
            let length = if sign == '\\' { 2 } else { sign.len_utf8() };
            rest = &rest[length..];
            continue;
        }
        in_text = sign == '"';
        let end = rest.find(|sign: char| !"+-.0123456789eE".contains(sign)).unwrap_or(rest.len());
        if sign == '-' || sign.is_ascii_digit() {
            let number = &rest[..end];
            let fits = number.parse::<i64>().is_ok() || number.parse::<u64>().is_ok();
            let is_float = number.contains(['.', 'e', 'E']) && number.parse::<f64>().is_ok_and(f64::is_finite);
            expect(fits || is_float, || format!("the number {number} is beyond 64 bits"))?;
            rest = &rest[end..];
        } else {
            rest = &rest[sign.len_utf8()..];
        }
    }
    no_name_twice(text)?;
    serde_json::from_str(text).map_err(|error| format!("{error}: {text}"))
}

/// Refuses an object on the two outermost levels that has a name twice.
fn no_name_twice(text: &str) -> Result<(), String> {
    let mut objects: Vec<Vec<&str>> = Vec::new();
    let mut at = 0;
    let bytes = text.as_bytes();
    while at < bytes.len() {
        match bytes[at] {
            b'{' => objects.push(Vec::new()),
            b'}' => drop(objects.pop()),
            b'"' => {
                let start = at;
                at += 1;
                while bytes[at] != b'"' {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
                if bytes.get(at + 1) == Some(&b':') {
                    let (name, names) = (&text[start..=at], objects.last_mut().ok_or("a name outside of an object")?);
                    expect(!names.contains(&name), || format!("{name} is there twice"))?;
                    names.push(name);
                }
            }
            _ => {}
        }
        at += 1;
    }
    Ok(())
}

#[test]
fn the_strict_reader_refuses_what_it_should() {
    for bad in
        [r#"{"a":18446744073709551616}"#, "[1e999]", r#"{"a":1,"a":2}"#, r#"{"b":{"a":1,"a":2}}"#, "{", "\"\u{1}\""]
    {
        assert!(read_json(bad.as_bytes()).is_err(), "{bad}");
    }
    for good in [r#"{"a":18446744073709551615,"b":"99999999999999999999 \" 1e999","c":{"a":-0.5e-3}}"#, "[]", "\"\""] {
        assert!(read_json(good.as_bytes()).is_ok(), "{good}");
    }
}

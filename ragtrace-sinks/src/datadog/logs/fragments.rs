//! Caches the parts that entries of one stage, process or request have in common.

use ragtrace::__json::Object;
use ragtrace::{Event, Level, Record, StageKind};

use crate::datadog::attributes::facet;
use crate::datadog::settings::Settings;
use crate::datadog::tags::Tags;

/// The largest number of stages whose fragments are cached. The oldest is dropped for a new one.
const MOST_STAGES: usize = 64;

/// The fragments of one payload. Its records stay in place until it is finished, so texts are
/// recognized by their address.
pub(super) struct Fragments<'a> {
    settings: &'a Settings,
    stages: Vec<(StageKey, Vec<u8>)>,
    oldest_stage: usize,
    origin: Option<(usize, Vec<u8>)>,
    request: Option<(RequestKey, Vec<u8>)>,
    thread: Option<(Place, Vec<u8>)>,
}

/// The address of a text, and its length.
type Place = (usize, usize);
type StageKey = ([Place; 2], Event, Level, u32);
type RequestKey = (u128, [Option<Place>; 5]);

/// The fragments of one entry, in order.
pub(super) struct EntryFragments<'a> {
    /// Begins with the opening brace, and includes the message if it is the stage's.
    pub(super) stage: &'a [u8],
    pub(super) origin: &'a [u8],
    pub(super) request: &'a [u8],
    pub(super) thread: &'a [u8],
}

impl<'a> Fragments<'a> {
    pub(super) fn new(settings: &'a Settings) -> Self {
        Self { settings, stages: Vec::new(), oldest_stage: 0, origin: None, request: None, thread: None }
    }

    /// Returns the fragments of a record's entry.
    pub(super) fn of(&mut self, record: &Record) -> EntryFragments<'_> {
        let stage = self.index_of_stage(record);
        let origin = std::ptr::from_ref(record.origin()).addr();
        if self.origin.as_ref().is_none_or(|(known, _)| *known != origin) {
            self.origin = Some((origin, members(|object| write_origin(object, record, self.settings))));
        }
        let request = request_key(record);
        if self.request.as_ref().is_none_or(|(known, _)| *known != request) {
            self.request = Some((request, members(|object| write_request(object, record))));
        }
        let thread = place(record.thread().unwrap_or_default());
        if self.thread.as_ref().is_none_or(|(known, _)| *known != thread) {
            let write =
                |object: &mut Object<'_>| object.optional_text("logger.thread_name", record.thread().map(facet));
            self.thread = Some((thread, members(write)));
        }
        EntryFragments {
            stage: &self.stages[stage].1,
            origin: self.origin.as_ref().map_or(&[], |(_, fragment)| &fragment[..]),
            request: self.request.as_ref().map_or(&[], |(_, fragment)| &fragment[..]),
            thread: self.thread.as_ref().map_or(&[], |(_, fragment)| &fragment[..]),
        }
    }

    fn index_of_stage(&mut self, record: &Record) -> usize {
        // Two stages with the same name may share its text, but are declared on different lines.
        // Log lines of one logger share a fragment, wherever they are.
        let of_stage = has_message_of_stage(record);
        let name = record.stage().filter(|_| of_stage).unwrap_or_default();
        let line = record.source().filter(|_| of_stage).map_or(0, |(_, line)| line);
        let key = ([place(name), place(record.logger())], record.event(), record.level(), line);
        if let Some(index) = self.stages.iter().position(|(known, _)| *known == key) {
            return index;
        }
        let mut fragment = Vec::with_capacity(256);
        write_stage(&mut fragment, record);
        if self.stages.len() < MOST_STAGES {
            self.stages.push((key, fragment));
            return self.stages.len() - 1;
        }
        let index = self.oldest_stage;
        self.oldest_stage = (index + 1) % MOST_STAGES;
        self.stages[index] = (key, fragment);
        index
    }
}

/// Returns `true` if the message is the stage's own, and so part of its fragment.
pub(super) fn has_message_of_stage(record: &Record) -> bool {
    record.event().is_end() || record.event() == Event::Started
}

fn members(write: impl FnOnce(&mut Object<'_>)) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    write(&mut Object::continued(&mut out));
    out
}

fn place(text: &str) -> Place {
    (text.as_ptr().addr(), text.len())
}

fn request_key(record: &Record) -> RequestKey {
    let ids = [record.request_id(), record.user_id(), record.tenant_id(), record.session_id(), record.request_type()];
    (record.trace_id().map_or(0, ragtrace::TraceId::as_u128), ids.map(|id| id.map(place)))
}

fn write_stage(out: &mut Vec<u8>, record: &Record) {
    let mut object = Object::open(out);
    object.text("ddsource", "ragtrace");
    object.text("status", status(record.level()));
    object.text("logger.name", facet(record.logger()));
    object.text("event", record.event().as_str());
    if has_message_of_stage(record) {
        object.text("message", &record.message());
        write_place(&mut object, record);
    }
}

/// Writes the stage that a record belongs to, and its source location.
pub(super) fn write_place(object: &mut Object<'_>, record: &Record) {
    object.optional_text("stage", record.stage().map(facet));
    object.optional_text("kind", record.kind().map(StageKind::as_str));
    if let Some((file, line)) = record.source() {
        object.text("code.file.path", facet(file));
        object.unsigned("code.line.number", line.into());
    }
}

/// Returns the name of a level among Datadog's statuses.
fn status(level: Level) -> &'static str {
    match level {
        Level::Trace | Level::Debug => "debug",
        Level::Info => "info",
        Level::Warn => "warn",
        Level::Error => "error",
    }
}

fn write_origin(object: &mut Object<'_>, record: &Record, settings: &Settings) {
    let service = record.service().or(settings.service.as_deref());
    let environment = record.environment().or(settings.environment.as_deref());
    let version = record.version().or(settings.version.as_deref());
    let mut tags = Tags::default();
    tags.add("env", environment);
    tags.add("service", service);
    tags.add("version", version);
    settings.tags.iter().for_each(|tag| tags.add_whole(tag));
    object.text("ddtags", tags.as_str());
    object.optional_text("hostname", settings.hostname.as_deref().or(record.host()).map(facet));
    for (names, value) in
        [(["service", "dd.service"].as_slice(), service), (&["dd.env"], environment), (&["dd.version"], version)]
    {
        for name in names {
            object.optional_text(name, value.map(facet));
        }
    }
    object.uuid("instance", record.instance());
}

fn write_request(object: &mut Object<'_>, record: &Record) {
    if let Some(trace_id) = record.trace_id() {
        object.text("dd.trace_id", &trace_id.to_hex());
    }
    object.optional_text("usr.id", record.user_id().map(facet));
    object.optional_text("tenant_id", record.tenant_id().map(facet));
    object.optional_text("request_id", record.request_id().map(facet));
    object.optional_text("session_id", record.session_id().map(facet));
    object.optional_text("request_type", record.request_type().map(facet));
}

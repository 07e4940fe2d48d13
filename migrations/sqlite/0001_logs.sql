-- What every record leaves in a SQLite file. Times are RFC 3339 in UTC with six decimals, so texts sort like
-- instants and a shell's eye can read them; ids are texts in the form that `ragtrace` prints; `context`, `metrics`,
-- `error` and `source` are JSON, for SQLite's `->` and `->>`.

-- This store, which a copy of the file is too: a file that takes its place has another id, and numbers of its own.
CREATE TABLE store (
    id  TEXT NOT NULL PRIMARY KEY
) WITHOUT ROWID;
INSERT INTO store VALUES (lower(hex(randomblob(16))));

-- One row a record.
CREATE TABLE logs (
    number          INTEGER PRIMARY KEY AUTOINCREMENT,  -- in the order of writing, and never given twice: what a tail goes by
    id              TEXT NOT NULL,  -- a UUID, the same over every retry
    timestamp       TEXT NOT NULL,
    trace_id        TEXT,
    span_id         TEXT,
    parent_span_id  TEXT,
    local_root      INTEGER NOT NULL,  -- 1 where the stage has no parent in its process: a parent id is from elsewhere
    request_id      TEXT,
    user_id         TEXT,
    tenant_id       TEXT,
    session_id      TEXT,
    request_type    TEXT,
    logger          TEXT NOT NULL,
    level           TEXT NOT NULL,  -- TRACE, DEBUG, INFO, WARN or ERROR
    message         TEXT NOT NULL,
    event           TEXT NOT NULL,  -- started, completed, failed, cancelled or log
    stage           TEXT,
    kind            TEXT,
    duration_ms     REAL,
    item_count      INTEGER,        -- `count` in a record; named so because COUNT is a function in SQL
    context         TEXT,
    metrics         TEXT,
    error           TEXT,
    stack_trace     TEXT,
    source          TEXT,
    service         TEXT,
    environment     TEXT,
    version         TEXT,
    host            TEXT,
    instance        TEXT NOT NULL,  -- the process, as in `instances`
    thread          TEXT,
    created_at      TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'))
);

-- A record that is delivered twice under two batch ids (a dead letter replayed, say) still makes one row. Ids begin
-- with their time, so this index grows at its end, which is cheap.
CREATE UNIQUE INDEX logs_id ON logs (id);
-- A trace is read as a whole, or a page of it at a time; and which of its records is the first, without reading it.
CREATE INDEX logs_trace ON logs (trace_id, timestamp) WHERE trace_id IS NOT NULL;
-- The newest first, which is what a reader asks for when nothing narrower is given.
CREATE INDEX logs_time ON logs (timestamp);
-- One stage over time.
CREATE INDEX logs_stage ON logs (stage, timestamp) WHERE stage IS NOT NULL;
-- "What went wrong for this user since yesterday", and for anyone. Errors are few, so partial indexes cost nearly nothing.
CREATE INDEX logs_user_errors ON logs (user_id, timestamp) WHERE level = 'ERROR';
CREATE INDEX logs_errors ON logs (timestamp) WHERE level = 'ERROR';
-- Whether a trace has one, which is what retention asks.
CREATE INDEX logs_trace_errors ON logs (trace_id) WHERE level = 'ERROR';
-- There is none by user or by request over all records: with many of them every insert lands on a page of its own,
-- and writing was measured to take two to three times as long. A search by them walks `logs_time` from the newest.

-- What retention keeps of `logs`: traces with errors, and a sample. The same columns in the same order, since rows move
-- there as they are; so a later migration that gives a column to one gives it to the other. Only retention writes
-- here, rows that `logs` has taken: what a column may hold is seen to there.
CREATE TABLE logs_archive AS SELECT * FROM logs WHERE false;

CREATE UNIQUE INDEX logs_archive_id ON logs_archive (id);
-- What leads into `logs` leads here too: a search finds what was moved.
CREATE INDEX logs_archive_trace ON logs_archive (trace_id, timestamp) WHERE trace_id IS NOT NULL;
CREATE INDEX logs_archive_time ON logs_archive (timestamp);
CREATE INDEX logs_archive_stage ON logs_archive (stage, timestamp) WHERE stage IS NOT NULL;
CREATE INDEX logs_archive_user_errors ON logs_archive (user_id, timestamp) WHERE level = 'ERROR';
CREATE INDEX logs_archive_errors ON logs_archive (timestamp) WHERE level = 'ERROR';
CREATE INDEX logs_archive_number ON logs_archive (number);

-- One row a finished local root: a stage with no parent in its process.
CREATE TABLE request_metrics (
    number       INTEGER PRIMARY KEY,  -- tells two of one trace apart that ended at once
    timestamp    TEXT NOT NULL,  -- when it ended
    operation    TEXT NOT NULL,  -- the root stage
    duration_ms  REAL,
    status       TEXT NOT NULL,  -- completed, failed or cancelled
    trace_id     TEXT,
    user_id      TEXT,
    tenant_id    TEXT,
    session_id   TEXT
);

-- Rates and percentiles of an operation over time.
CREATE INDEX request_metrics_operation ON request_metrics (operation, timestamp);
CREATE INDEX request_metrics_time ON request_metrics (timestamp);
-- The requests of a person's traces, when the person is erased.
CREATE INDEX request_metrics_trace ON request_metrics (trace_id);

-- A process's account of one stage for one tenant in one minute, kept before any sampling.
CREATE TABLE stage_minutes (
    minute           TEXT NOT NULL,
    instance         TEXT NOT NULL,
    service          TEXT,
    environment      TEXT,
    tenant_id        TEXT NOT NULL DEFAULT '',  -- '' where there is none: NULLs would never be equal in the key
    stage            TEXT NOT NULL,
    kind             TEXT,
    runs             INTEGER NOT NULL,
    completed        INTEGER NOT NULL,
    failed           INTEGER NOT NULL,
    cancelled        INTEGER NOT NULL,
    items            INTEGER NOT NULL,
    cost_usd         REAL NOT NULL,
    duration_ms_sum  REAL NOT NULL,
    durations        TEXT NOT NULL,             -- the sketch that percentiles are read from, as JSON
    PRIMARY KEY (minute, instance, stage, tenant_id)
) WITHOUT ROWID;

-- The catalog: every annotated stage that a service had linked in.
CREATE TABLE stages (
    service        TEXT NOT NULL DEFAULT '',  -- '' where there is none
    name           TEXT NOT NULL,
    kind           TEXT NOT NULL,
    level          TEXT NOT NULL,
    target         TEXT NOT NULL,
    file           TEXT NOT NULL,
    line           INTEGER NOT NULL,
    fields         TEXT NOT NULL,  -- a JSON array of the declared fields
    first_seen_at  TEXT NOT NULL,
    last_seen_at   TEXT NOT NULL,
    PRIMARY KEY (service, name)
) WITHOUT ROWID;

-- The processes that wrote here. They tell a stage that still runs from one whose process is gone.
CREATE TABLE instances (
    instance      TEXT NOT NULL PRIMARY KEY,
    service       TEXT,
    environment   TEXT,
    version       TEXT,
    host          TEXT,
    started_at    TEXT NOT NULL,  -- when it was first heard of: its first record here, or an empty batch
    last_seen_at  TEXT NOT NULL,  -- when it was last heard of; at least every minute while it lives
    ended_at      TEXT            -- when it closed this sink, if it did
) WITHOUT ROWID;

-- The ledger: a batch whose id is here has been written, so a second delivery of it writes nothing.
CREATE TABLE delivered_batches (
    batch_id      TEXT NOT NULL PRIMARY KEY,
    delivered_at  TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')),
    records       INTEGER NOT NULL
) WITHOUT ROWID;

-- Old entries are dropped by age.
CREATE INDEX delivered_batches_time ON delivered_batches (delivered_at);

-- Retention's decisions, so that a late record follows its trace.
CREATE TABLE retention_decisions (
    trace_id  TEXT NOT NULL PRIMARY KEY,
    day       TEXT NOT NULL,     -- the day it was decided with
    kept      INTEGER NOT NULL   -- 1 where it went to the archive
) WITHOUT ROWID;

CREATE INDEX retention_decisions_day ON retention_decisions (day);

-- What was judged of traces and of runs in them: by people, by models, by checks in code. One row a record whose event
-- is `score`; such a record leaves none in `logs`.
CREATE TABLE scores (
    id           TEXT NOT NULL PRIMARY KEY,  -- the record's: a UUID, the same over every retry
    timestamp    TEXT NOT NULL,
    trace_id     TEXT NOT NULL,
    span_id      TEXT,     -- the run that is judged; NULL where it is the trace as a whole
    name         TEXT NOT NULL,
    number       REAL,     -- one of these three is the judgement
    flag         INTEGER,  -- 1 for true and 0 for false
    label        TEXT,
    judged_by    TEXT,     -- human, llm or code
    comment      TEXT,
    user_id      TEXT,     -- whose context it was recorded in
    tenant_id    TEXT,     -- the trace's, where the record names none
    service      TEXT,
    environment  TEXT,
    version      TEXT,
    host         TEXT,
    instance     TEXT NOT NULL,
    thread       TEXT,
    late         INTEGER NOT NULL,  -- 1 where retention had removed the trace when it came: it follows it
    created_at   TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'))
) WITHOUT ROWID;

-- They are few beside the records, so each way to look for them has its index.
CREATE INDEX scores_trace ON scores (trace_id, timestamp);
CREATE INDEX scores_time ON scores (timestamp);
-- How good a pipeline is over time.
CREATE INDEX scores_name ON scores (name, timestamp);
CREATE INDEX scores_user ON scores (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX scores_late ON scores (timestamp) WHERE late = 1;

-- The spans of other traces that led to a run, and the items that it used and generated: JSON arrays, and NULL where
-- there are none. At the end of both tables, since rows move from one to the other as they are.
ALTER TABLE logs ADD COLUMN links TEXT;
ALTER TABLE logs ADD COLUMN used TEXT;
ALTER TABLE logs ADD COLUMN generated TEXT;
ALTER TABLE logs_archive ADD COLUMN links TEXT;
ALTER TABLE logs_archive ADD COLUMN used TEXT;
ALTER TABLE logs_archive ADD COLUMN generated TEXT;

-- What was done to the store by hand: one row a purge. It names nobody that was erased, and stays.
CREATE TABLE audit (
    number        INTEGER PRIMARY KEY,  -- in the order of writing
    at            TEXT NOT NULL,
    action        TEXT NOT NULL,  -- purge
    actor         TEXT,           -- who did it, as given
    subject_hash  TEXT NOT NULL,  -- of the user's id: SHA-256 in hex
    reference     TEXT,           -- a ticket, say, as given
    details       TEXT NOT NULL   -- JSON: how much was removed
);

-- A list of traces walks back in time. What it most often leaves out it sees in the index, without reading the row.
DROP INDEX request_metrics_time;
CREATE INDEX request_metrics_time ON request_metrics (timestamp, status, duration_ms);
-- The traces of one user, one session, one tenant. There is one row a trace, so that these cost writing little.
CREATE INDEX request_metrics_user ON request_metrics (user_id, timestamp) WHERE user_id IS NOT NULL;
CREATE INDEX request_metrics_session ON request_metrics (session_id, timestamp) WHERE session_id IS NOT NULL;
CREATE INDEX request_metrics_tenant ON request_metrics (tenant_id, timestamp) WHERE tenant_id IS NOT NULL;

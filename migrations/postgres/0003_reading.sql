-- Indexes over many rows take longer than a statement of the writer's may.
SET LOCAL statement_timeout = 0;

-- At the end of both tables, since rows move from one to the other as they are. Every partition gets them too.
ALTER TABLE logs ADD COLUMN links jsonb, ADD COLUMN used jsonb, ADD COLUMN generated jsonb;
ALTER TABLE logs_archive ADD COLUMN links jsonb, ADD COLUMN used jsonb, ADD COLUMN generated jsonb;
COMMENT ON COLUMN logs.links IS 'Spans of other traces that led to this run: an array of trace_id and span_id';
COMMENT ON COLUMN logs.used IS 'The items that the stage worked on: an array of type, id and what else is known';
COMMENT ON COLUMN logs.generated IS 'The items that the stage made or found: an array of type, id, score and what else is known';
COMMENT ON COLUMN logs_archive.links IS 'Spans of other traces that led to this run: an array of trace_id and span_id';
COMMENT ON COLUMN logs_archive.used IS 'The items that the stage worked on: an array of type, id and what else is known';
COMMENT ON COLUMN logs_archive.generated IS 'The items that the stage made or found: an array of type, id, score and what else is known';

CREATE TABLE audit (
    number        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at            timestamptz NOT NULL DEFAULT now(),
    action        text NOT NULL,
    actor         text,
    subject_hash  text NOT NULL,
    reference     text,
    details       jsonb NOT NULL
);
COMMENT ON TABLE audit IS 'What was done to the store by hand: one row a purge. It names nobody that was erased, and stays';
COMMENT ON COLUMN audit.number IS 'In the order of writing';
COMMENT ON COLUMN audit.at IS 'When it was done';
COMMENT ON COLUMN audit.action IS 'purge';
COMMENT ON COLUMN audit.actor IS 'Who did it, as given';
COMMENT ON COLUMN audit.subject_hash IS 'Of the user''s id: SHA-256 in hex';
COMMENT ON COLUMN audit.reference IS 'A ticket, say, as given';
COMMENT ON COLUMN audit.details IS 'How much was removed';

-- The traces of one user, one session, one tenant, of one outcome, and the slow ones. There is one row a trace, so that
-- these cost writing little: measured, a tenth of what the records of a trace cost.
CREATE INDEX request_metrics_user ON request_metrics (left(user_id, 64), timestamp) WHERE user_id IS NOT NULL;
CREATE INDEX request_metrics_session ON request_metrics (left(session_id, 64), timestamp) WHERE session_id IS NOT NULL;
CREATE INDEX request_metrics_tenant ON request_metrics (left(tenant_id, 64), timestamp) WHERE tenant_id IS NOT NULL;
CREATE INDEX request_metrics_status ON request_metrics (status, timestamp) WHERE status <> 'completed';
CREATE INDEX request_metrics_duration ON request_metrics USING brin (duration_ms)
    WITH (pages_per_range = 8, autosummarize = on);

-- A stage that runs rarely is found without reading the ranges in which it did not run. For one that runs often, walking
-- back in time finds its traces soon. A b-tree would make writing a third slower.
CREATE INDEX logs_stage ON logs USING brin (stage text_bloom_ops (n_distinct_per_range = 100))
    WITH (pages_per_range = 32, autosummarize = on);
CREATE INDEX logs_archive_stage ON logs_archive USING brin (stage text_bloom_ops (n_distinct_per_range = 100))
    WITH (pages_per_range = 32, autosummarize = on);

-- No policy: whoever is granted it sees nothing, except the owner.
ALTER TABLE audit ENABLE ROW LEVEL SECURITY;

CREATE OR REPLACE FUNCTION allow_reader(reader name, tenant text) RETURNS void LANGUAGE plpgsql
SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO tenant_readers VALUES (reader, tenant) ON CONFLICT DO NOTHING;
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', current_schema(), reader);
    EXECUTE format(
        'GRANT SELECT ON logs, logs_archive, request_metrics, scores, stage_minutes, stage_hours, stages, audit, '
        'tenant_readers, ragtrace_migrations TO %I', reader);
    -- Which hosts there are is nobody's business but the owner's. The version is, since counts are split by it.
    EXECUTE format('GRANT SELECT (instance, version, last_seen_at, ended_at) ON instances TO %I', reader);
END
$$;

-- Who was allowed before reads these too. A role that is gone is passed over.
DO $$
DECLARE
    allowed name;
BEGIN
    FOR allowed IN SELECT DISTINCT r.reader FROM tenant_readers r JOIN pg_roles p ON p.rolname = r.reader LOOP
        EXECUTE format('GRANT SELECT ON audit TO %I', allowed);
        EXECUTE format('GRANT SELECT (version) ON instances TO %I', allowed);
    END LOOP;
END
$$;

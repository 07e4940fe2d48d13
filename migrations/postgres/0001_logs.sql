-- What every record leaves in PostgreSQL. Everything lies in one schema (`ragtrace` unless set otherwise), which is the
-- first of the search path while this runs, so that an application's own tables are never touched.
--
-- Rows of `logs` lie in one partition a day (UTC), made by `make_day` ahead of need; there is no default partition.
-- Readers get no grant on partitions: they read `logs`, whose policy shows them their tenants' rows.
--
-- No index holds a whole text that a program makes up: a key may not be longer than a third of a page, and ids may. It
-- holds the first 64 characters, and where it has to be unique a hash of the whole beside them.

CREATE TABLE logs (
    id              uuid NOT NULL,
    timestamp       timestamptz NOT NULL,
    trace_id        uuid,
    span_id         text,
    parent_span_id  text,
    local_root      boolean NOT NULL,
    request_id      text,
    user_id         text,
    tenant_id       text,
    session_id      text,
    request_type    text,
    logger          text NOT NULL,
    level           text NOT NULL,
    message         text NOT NULL,
    event           text NOT NULL,
    stage           text,
    kind            text,
    duration_ms     double precision,
    item_count      bigint,
    context         jsonb,
    metrics         jsonb,
    error           jsonb,
    stack_trace     text,
    source          jsonb,
    service         text,
    environment     text,
    version         text,
    host            text,
    instance        uuid NOT NULL,
    thread          text,
    created_at      timestamptz NOT NULL DEFAULT now(),
    written         bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint
) PARTITION BY RANGE (timestamp);
COMMENT ON TABLE logs IS 'One row a record, in one partition a day';
COMMENT ON COLUMN logs.id IS 'The record''s id, the same over every retry';
COMMENT ON COLUMN logs.timestamp IS 'When it happened';
COMMENT ON COLUMN logs.trace_id IS 'The trace it belongs to; NULL for a log line outside of any';
COMMENT ON COLUMN logs.span_id IS 'The run of the stage it belongs to: 16 hex digits';
COMMENT ON COLUMN logs.parent_span_id IS 'The run that this one is part of';
COMMENT ON COLUMN logs.local_root IS 'Whether the stage has no parent in its process: a parent id is from elsewhere then';
COMMENT ON COLUMN logs.request_id IS 'The request it belongs to';
COMMENT ON COLUMN logs.user_id IS 'Who asked';
COMMENT ON COLUMN logs.tenant_id IS 'Which tenant the user belongs to: what row security goes by';
COMMENT ON COLUMN logs.session_id IS 'The session it belongs to, such as a conversation';
COMMENT ON COLUMN logs.request_type IS 'What sort of request it is';
COMMENT ON COLUMN logs.logger IS 'The stage''s or the log line''s target: a module path unless set';
COMMENT ON COLUMN logs.level IS 'TRACE, DEBUG, INFO, WARN or ERROR';
COMMENT ON COLUMN logs.message IS 'For a stage its name and the event';
COMMENT ON COLUMN logs.event IS 'started, completed, failed, cancelled or log';
COMMENT ON COLUMN logs.stage IS 'The stage''s name';
COMMENT ON COLUMN logs.kind IS 'The stage''s kind';
COMMENT ON COLUMN logs.duration_ms IS 'From start to end, in an end record';
COMMENT ON COLUMN logs.item_count IS 'How many items the stage yielded: `count` in a record, which is a function in SQL';
COMMENT ON COLUMN logs.context IS 'What the stage worked on';
COMMENT ON COLUMN logs.metrics IS 'The numbers it recorded, duration and count included';
COMMENT ON COLUMN logs.error IS 'Why it failed: type, message and chain of sources';
COMMENT ON COLUMN logs.stack_trace IS 'Where a panic or an error came from, if a backtrace was taken';
COMMENT ON COLUMN logs.source IS 'File and line that declare the stage or the log line';
COMMENT ON COLUMN logs.service IS 'The service, as set up';
COMMENT ON COLUMN logs.environment IS 'The environment, as set up';
COMMENT ON COLUMN logs.version IS 'The version of the service, as set up';
COMMENT ON COLUMN logs.host IS 'The name of the host';
COMMENT ON COLUMN logs.instance IS 'The process, as in instances';
COMMENT ON COLUMN logs.thread IS 'The thread it happened on';
COMMENT ON COLUMN logs.created_at IS 'When the transaction that wrote it began';
COMMENT ON COLUMN logs.written IS 'The transaction that wrote it: what a tail goes by, since commits come in another order than times';

-- Measured with a million rows in batches of 10,000 (benches/storage): each of these costs ingest little, because its
-- new entries go to its end or are few, except the one by trace, without which no trace could be read.
CREATE INDEX logs_trace ON logs (trace_id);
CREATE INDEX logs_time ON logs USING brin (timestamp) WITH (pages_per_range = 32, autosummarize = on);
CREATE INDEX logs_written ON logs USING brin (written) WITH (pages_per_range = 32, autosummarize = on);
CREATE INDEX logs_errors ON logs (left(user_id, 64), timestamp) WHERE level = 'ERROR';

-- The same columns in the same order, since rows move there as they are; so a later migration that gives a column to one
-- gives it to the other. Without the defaults: only retention writes here, rows that have it all.
CREATE TABLE logs_archive (LIKE logs INCLUDING COMMENTS);
COMMENT ON TABLE logs_archive IS 'What retention keeps of logs: whole traces with an error in them, and a sample';

CREATE UNIQUE INDEX logs_archive_id ON logs_archive (id);
-- What leads into `logs` leads here too: a search finds what was moved, and so does a tail.
CREATE INDEX logs_archive_trace ON logs_archive (trace_id, timestamp);
CREATE INDEX logs_archive_time ON logs_archive (timestamp);
CREATE INDEX logs_archive_errors ON logs_archive (timestamp) WHERE level = 'ERROR';
CREATE INDEX logs_archive_written ON logs_archive (written);

CREATE TABLE request_metrics (
    timestamp    timestamptz NOT NULL,
    operation    text NOT NULL,
    duration_ms  double precision NOT NULL,
    status       text NOT NULL,
    trace_id     uuid NOT NULL,
    user_id      text,
    tenant_id    text,
    session_id   text,
    number       bigint GENERATED ALWAYS AS IDENTITY
);
COMMENT ON TABLE request_metrics IS 'One row a finished local root: a stage with no parent in its process';
COMMENT ON COLUMN request_metrics.timestamp IS 'When it ended';
COMMENT ON COLUMN request_metrics.operation IS 'The root stage';
COMMENT ON COLUMN request_metrics.duration_ms IS 'From its start to its end';
COMMENT ON COLUMN request_metrics.status IS 'completed, failed or cancelled';
COMMENT ON COLUMN request_metrics.trace_id IS 'The trace';
COMMENT ON COLUMN request_metrics.user_id IS 'Who asked';
COMMENT ON COLUMN request_metrics.tenant_id IS 'Which tenant the user belongs to';
COMMENT ON COLUMN request_metrics.session_id IS 'The session it belongs to, such as a conversation';
COMMENT ON COLUMN request_metrics.number IS 'Tells two of one trace apart that ended at once';

CREATE INDEX request_metrics_time ON request_metrics (timestamp);
-- The requests of a person's traces, when the person is erased.
CREATE INDEX request_metrics_trace ON request_metrics (trace_id);
CREATE INDEX request_metrics_operation ON request_metrics (left(operation, 64), timestamp);

CREATE TABLE stage_minutes (
    minute           timestamptz NOT NULL,
    instance         uuid NOT NULL,
    service          text,
    environment      text,
    tenant_id        text NOT NULL,
    stage            text NOT NULL,
    kind             text NOT NULL,
    runs             bigint NOT NULL,
    completed        bigint NOT NULL,
    failed           bigint NOT NULL,
    cancelled        bigint NOT NULL,
    items            bigint NOT NULL,
    cost_usd         double precision NOT NULL,
    duration_ms_sum  double precision NOT NULL,
    durations        jsonb NOT NULL
);
COMMENT ON TABLE stage_minutes IS 'What one process counted of one stage for one tenant in one minute, before any sampling';
COMMENT ON COLUMN stage_minutes.minute IS 'The first instant of the minute';
COMMENT ON COLUMN stage_minutes.instance IS 'The process that counted';
COMMENT ON COLUMN stage_minutes.service IS 'Its service';
COMMENT ON COLUMN stage_minutes.environment IS 'Its environment';
COMMENT ON COLUMN stage_minutes.tenant_id IS 'The tenant; empty where there is none, since NULLs are never equal in a key';
COMMENT ON COLUMN stage_minutes.stage IS 'The stage';
COMMENT ON COLUMN stage_minutes.kind IS 'Its kind';
COMMENT ON COLUMN stage_minutes.runs IS 'Runs that ended';
COMMENT ON COLUMN stage_minutes.completed IS 'Runs that completed';
COMMENT ON COLUMN stage_minutes.failed IS 'Runs that failed';
COMMENT ON COLUMN stage_minutes.cancelled IS 'Runs that were cancelled';
COMMENT ON COLUMN stage_minutes.items IS 'The sum of their counts';
COMMENT ON COLUMN stage_minutes.cost_usd IS 'The sum of their costs';
COMMENT ON COLUMN stage_minutes.duration_ms_sum IS 'The sum of their durations';
COMMENT ON COLUMN stage_minutes.durations IS 'The sketch that percentiles are read from: runs by bucket';

CREATE UNIQUE INDEX stage_minutes_key ON stage_minutes (
    minute, instance, left(stage, 64), left(tenant_id, 64), hashtextextended(stage, 0), hashtextextended(tenant_id, 0), kind);

CREATE TABLE stage_hours (
    hour             timestamptz NOT NULL,
    tenant_id        text NOT NULL,
    stage            text NOT NULL,
    kind             text NOT NULL,
    runs             bigint NOT NULL,
    completed        bigint NOT NULL,
    failed           bigint NOT NULL,
    cancelled        bigint NOT NULL,
    items            bigint NOT NULL,
    cost_usd         double precision NOT NULL,
    duration_ms_sum  double precision NOT NULL,
    durations        jsonb NOT NULL
);
COMMENT ON TABLE stage_hours IS 'stage_minutes added up by the hour and over processes, so that a day is read from few rows';
COMMENT ON COLUMN stage_hours.hour IS 'The first instant of the hour';
COMMENT ON COLUMN stage_hours.tenant_id IS 'The tenant; empty where there is none, since NULLs are never equal in a key';
COMMENT ON COLUMN stage_hours.stage IS 'The stage';
COMMENT ON COLUMN stage_hours.kind IS 'Its kind';
COMMENT ON COLUMN stage_hours.runs IS 'Runs that ended';
COMMENT ON COLUMN stage_hours.completed IS 'Runs that completed';
COMMENT ON COLUMN stage_hours.failed IS 'Runs that failed';
COMMENT ON COLUMN stage_hours.cancelled IS 'Runs that were cancelled';
COMMENT ON COLUMN stage_hours.items IS 'The sum of their counts';
COMMENT ON COLUMN stage_hours.cost_usd IS 'The sum of their costs';
COMMENT ON COLUMN stage_hours.duration_ms_sum IS 'The sum of their durations';
COMMENT ON COLUMN stage_hours.durations IS 'The sketch that percentiles are read from: runs by bucket';

CREATE UNIQUE INDEX stage_hours_key ON stage_hours (
    hour, left(stage, 64), left(tenant_id, 64), hashtextextended(stage, 0), hashtextextended(tenant_id, 0), kind);

CREATE TABLE stages (
    service        text NOT NULL,
    name           text NOT NULL,
    kind           text NOT NULL,
    level          text NOT NULL,
    target         text NOT NULL,
    file           text NOT NULL,
    line           bigint NOT NULL,
    fields         jsonb NOT NULL,
    first_seen_at  timestamptz NOT NULL DEFAULT now(),
    last_seen_at   timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE stages IS 'The catalog: every annotated stage that a service had linked in';
COMMENT ON COLUMN stages.service IS 'The service; empty where there is none';
COMMENT ON COLUMN stages.name IS 'The stage''s name';
COMMENT ON COLUMN stages.kind IS 'Its kind';
COMMENT ON COLUMN stages.level IS 'The level of its started and completed records';
COMMENT ON COLUMN stages.target IS 'The logger of its records';
COMMENT ON COLUMN stages.file IS 'The source file that declares it';
COMMENT ON COLUMN stages.line IS 'The line in that file';
COMMENT ON COLUMN stages.fields IS 'The fields it declares: name, source and type where one is written';
COMMENT ON COLUMN stages.first_seen_at IS 'When a program with it first connected';
COMMENT ON COLUMN stages.last_seen_at IS 'When a program with it last connected';

CREATE UNIQUE INDEX stages_key ON stages (
    left(service, 64), left(name, 64), hashtextextended(service, 0), hashtextextended(name, 0));

CREATE TABLE instances (
    instance      uuid NOT NULL PRIMARY KEY,
    service       text,
    environment   text,
    version       text,
    host          text,
    started_at    timestamptz NOT NULL,
    last_seen_at  timestamptz NOT NULL,
    ended_at      timestamptz
);
COMMENT ON TABLE instances IS 'The processes that wrote here: what tells a stage that still runs from one whose process is gone';
COMMENT ON COLUMN instances.instance IS 'The id of the process';
COMMENT ON COLUMN instances.service IS 'Its service';
COMMENT ON COLUMN instances.environment IS 'Its environment';
COMMENT ON COLUMN instances.version IS 'The version of its service';
COMMENT ON COLUMN instances.host IS 'Its host';
COMMENT ON COLUMN instances.started_at IS 'When it was first heard of';
COMMENT ON COLUMN instances.last_seen_at IS 'When it was last heard of; at least every minute while it lives';
COMMENT ON COLUMN instances.ended_at IS 'When it closed its sink, if it did';

CREATE TABLE delivered_batches (
    batch_id      uuid NOT NULL PRIMARY KEY,
    delivered_at  timestamptz NOT NULL DEFAULT now(),
    records       integer NOT NULL
);
COMMENT ON TABLE delivered_batches IS 'The ledger: a batch whose id is here has been written, so a second delivery of it writes nothing';
COMMENT ON COLUMN delivered_batches.batch_id IS 'The id of the batch, the same over every retry';
COMMENT ON COLUMN delivered_batches.delivered_at IS 'When it was written; old entries go, but none that a spool may still deliver';
COMMENT ON COLUMN delivered_batches.records IS 'How many rows it made';

CREATE INDEX delivered_batches_time ON delivered_batches USING brin (delivered_at);

CREATE TABLE retention_decisions (
    trace_id  uuid NOT NULL PRIMARY KEY,
    day       date NOT NULL,
    kept      boolean NOT NULL
);
COMMENT ON TABLE retention_decisions IS 'Retention''s decisions, so that a late record follows its trace';
COMMENT ON COLUMN retention_decisions.trace_id IS 'The trace';
COMMENT ON COLUMN retention_decisions.day IS 'The day it was decided with';
COMMENT ON COLUMN retention_decisions.kept IS 'Whether it went to the archive';

CREATE INDEX retention_decisions_day ON retention_decisions (day);

CREATE TABLE tenant_readers (
    reader     name NOT NULL,
    tenant_id  text NOT NULL
);
COMMENT ON TABLE tenant_readers IS 'Which role may read which tenants'' rows; filled by allow_reader';
COMMENT ON COLUMN tenant_readers.reader IS 'The role, as current_user gives it';
COMMENT ON COLUMN tenant_readers.tenant_id IS 'A tenant whose rows it may read';

CREATE UNIQUE INDEX tenant_readers_key ON tenant_readers (reader, left(tenant_id, 64), hashtextextended(tenant_id, 0));

-- Sketches of the same factor add up bucket by bucket.
CREATE FUNCTION add_sketches(one jsonb, other jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(jsonb_object_agg(bucket, runs), '{}')
    FROM (
        SELECT bucket, sum(runs::bigint) AS runs
        FROM (SELECT * FROM jsonb_each_text(one) UNION ALL SELECT * FROM jsonb_each_text(other)) AS both_of(bucket, runs)
        GROUP BY bucket
    ) AS added
$$;
COMMENT ON FUNCTION add_sketches IS 'Adds two sketches of durations';

-- A count that somebody made absurd must not have the next one refused.
CREATE FUNCTION add_counts(one bigint, other bigint) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT least(one::numeric + other, 9223372036854775807)::bigint
$$;
COMMENT ON FUNCTION add_counts IS 'Adds two counts, up to the greatest there is';

-- The same for what is no whole number, whose addition is refused where it overflows.
CREATE FUNCTION add_sums(one double precision, other double precision) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN greatest(abs(one), abs(other)) < 8e307 THEN one + other ELSE greatest(one, other) END
$$;
COMMENT ON FUNCTION add_sums IS 'Adds two sums; of those that are absurd the greater stays';

-- The rows of a trace, the newest first, wherever retention has them. Planning over many days takes longer than finding a
-- trace, and the plan of a function stays with the server's connection: no statement needs a name, which a pooler between
-- would mix up. Whoever calls it sees the rows that the policies below show him.
CREATE FUNCTION rows_of_trace(trace uuid, most bigint) RETURNS SETOF logs LANGUAGE plpgsql STABLE
SET search_path FROM CURRENT AS $$
BEGIN
    RETURN QUERY SELECT *
    FROM (SELECT * FROM logs WHERE trace_id = trace UNION ALL SELECT * FROM logs_archive WHERE trace_id = trace) r
    ORDER BY r.timestamp DESC, r.id DESC LIMIT most;
END
$$;
COMMENT ON FUNCTION rows_of_trace IS 'Finds the rows of a trace, the newest first and at most so many';
-- Said outright, since a database may give it to nobody by default.
GRANT EXECUTE ON FUNCTION rows_of_trace TO PUBLIC;

-- Makes the partition of a day, unless it is there: made apart and then attached, which does not hold up writers.
CREATE FUNCTION make_day(day date) RETURNS boolean LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    partition text := 'logs_' || to_char(day, 'YYYYMMDD');
    lower_bound timestamptz := day::timestamp AT TIME ZONE 'UTC';
    upper_bound timestamptz := (day + 1)::timestamp AT TIME ZONE 'UTC';
BEGIN
    IF to_regclass(partition) IS NOT NULL THEN
        RETURN false;
    END IF;
    -- One maker at a time; the second finds the work done.
    PERFORM pg_advisory_xact_lock(hashtext(current_schema() || '.make_day'));
    -- Asked of the table itself: the cache of names may be from before the lock.
    IF EXISTS (SELECT FROM pg_class WHERE relname = partition AND relnamespace = to_regnamespace(quote_ident(current_schema()))) THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE logs INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING COMMENTS)', partition);
    -- Nothing but the parent may be read. A row security of its own, without a policy, shows nothing to anybody but the
    -- owner, should somebody be granted the partition.
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', partition);
    EXECUTE format('ALTER TABLE logs ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', partition, lower_bound, upper_bound);
    RETURN true;
END
$$;
COMMENT ON FUNCTION make_day IS 'Makes the partition of a day (UTC) of logs, and says whether it had to';
REVOKE EXECUTE ON FUNCTION make_day FROM PUBLIC;

-- Rows are shown to whom their tenant is allowed. The owner, who writes, sees all. The list is read once a query.
ALTER TABLE logs ENABLE ROW LEVEL SECURITY;
ALTER TABLE logs_archive ENABLE ROW LEVEL SECURITY;
ALTER TABLE request_metrics ENABLE ROW LEVEL SECURITY;
ALTER TABLE stage_minutes ENABLE ROW LEVEL SECURITY;
ALTER TABLE stage_hours ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenant_readers ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_tenants ON logs FOR SELECT
    USING (tenant_id = ANY (ARRAY (SELECT tenant_id FROM tenant_readers WHERE reader = current_user)));
CREATE POLICY own_tenants ON logs_archive FOR SELECT
    USING (tenant_id = ANY (ARRAY (SELECT tenant_id FROM tenant_readers WHERE reader = current_user)));
CREATE POLICY own_tenants ON request_metrics FOR SELECT
    USING (tenant_id = ANY (ARRAY (SELECT tenant_id FROM tenant_readers WHERE reader = current_user)));
CREATE POLICY own_tenants ON stage_minutes FOR SELECT
    USING (tenant_id = ANY (ARRAY (SELECT tenant_id FROM tenant_readers WHERE reader = current_user)));
CREATE POLICY own_tenants ON stage_hours FOR SELECT
    USING (tenant_id = ANY (ARRAY (SELECT tenant_id FROM tenant_readers WHERE reader = current_user)));
CREATE POLICY own_entries ON tenant_readers FOR SELECT USING (reader = current_user);

-- `SELECT ragtrace.allow_reader('acme_dashboard', 'acme')` lets an existing role read one tenant's rows, and only those.
CREATE FUNCTION allow_reader(reader name, tenant text) RETURNS void LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO tenant_readers VALUES (reader, tenant) ON CONFLICT DO NOTHING;
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', current_schema(), reader);
    EXECUTE format(
        'GRANT SELECT ON logs, logs_archive, request_metrics, stage_minutes, stage_hours, stages, tenant_readers, '
        'ragtrace_migrations TO %I', reader);
    -- Which hosts there are is nobody's business but the owner's.
    EXECUTE format('GRANT SELECT (instance, last_seen_at, ended_at) ON instances TO %I', reader);
END
$$;
COMMENT ON FUNCTION allow_reader IS 'Lets a role read the rows of a tenant, and of no other unless allowed too';
REVOKE EXECUTE ON FUNCTION allow_reader FROM PUBLIC;

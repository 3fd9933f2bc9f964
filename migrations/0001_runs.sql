CREATE TABLE runs (
    id          TEXT PRIMARY KEY,
    started_at  TIMESTAMPTZ NOT NULL,
    finished_at TIMESTAMPTZ NOT NULL,
    verdict     TEXT NOT NULL,
    report      JSONB NOT NULL
);

CREATE INDEX runs_by_start ON runs (started_at);

-- What the last look of each check left open: {"errors:4501": {...}}.
CREATE TABLE memory (
    check_name TEXT PRIMARY KEY,
    run_id     TEXT NOT NULL,
    known      JSONB NOT NULL
);

CREATE TABLE decisions (
    key      TEXT NOT NULL,
    version  BIGINT NOT NULL,
    at       TIMESTAMPTZ NOT NULL,
    by_id    TEXT NOT NULL,
    decision JSONB NOT NULL,
    PRIMARY KEY (key, version)
);

-- The outbox: what we owe the other side. `fence` counts the claims, so that one who wakes up late settles nothing.
CREATE TABLE effects (
    effect_key    TEXT PRIMARY KEY,
    key           TEXT NOT NULL,
    version       BIGINT NOT NULL,
    ordered       JSONB NOT NULL,
    state         TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'failed', 'needs_human')),
    attempts      BIGINT NOT NULL,
    not_before    TIMESTAMPTZ NOT NULL,
    lease_until   TIMESTAMPTZ,
    fence         BIGINT NOT NULL,
    first_sent_at TIMESTAMPTZ,
    last_error    TEXT,
    result        JSONB,
    UNIQUE (key, version),
    FOREIGN KEY (key, version) REFERENCES decisions (key, version)
);

CREATE INDEX effects_open ON effects (not_before) WHERE state IN ('waiting', 'running');

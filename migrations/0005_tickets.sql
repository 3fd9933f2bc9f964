-- A ticket is wanted before its tracker is asked for it, so that none is made twice. `marker` names it there as well.
CREATE TABLE tickets (
    marker    TEXT PRIMARY KEY,
    number    BIGINT NOT NULL UNIQUE,
    key       TEXT NOT NULL,
    version   BIGINT NOT NULL,
    tracker   TEXT NOT NULL,
    state     TEXT NOT NULL CHECK (state IN ('wanted', 'open', 'closed', 'failed')),
    draft     JSONB NOT NULL,
    -- As the tracker knows it; never set for those that are kept here alone.
    remote    JSONB,
    wanted_at TIMESTAMPTZ NOT NULL,
    closed_at TIMESTAMPTZ,
    FOREIGN KEY (key, version) REFERENCES decisions (key, version)
);

CREATE UNIQUE INDEX tickets_once ON tickets (key) WHERE state IN ('wanted', 'open');
CREATE INDEX tickets_of_finding ON tickets (key, number);

-- What a check counted on a local day; the baseline is learned from these.
CREATE TABLE measures (
    check_name TEXT NOT NULL,
    name       TEXT NOT NULL,
    day        TEXT NOT NULL,
    value      BIGINT NOT NULL,
    PRIMARY KEY (check_name, name, day)
);

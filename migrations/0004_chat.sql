-- What was asked in a chat. The key is a digest of the request's own, so that a second delivery of it changes nothing,
-- and nobody is named by it.
CREATE TABLE inbox (
    key         TEXT PRIMARY KEY,
    at          TIMESTAMPTZ NOT NULL,
    asked       JSONB NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('waiting', 'done')),
    attempts    BIGINT NOT NULL,
    lease_until TIMESTAMPTZ,
    fence       BIGINT NOT NULL
);

CREATE INDEX inbox_waiting ON inbox (at) WHERE state = 'waiting';

-- Rounds that a chat or the schedule asked for. `slot` is what may run once at a time in a channel.
CREATE TABLE asked_rounds (
    id          TEXT PRIMARY KEY,
    channel     TEXT NOT NULL,
    slot        TEXT NOT NULL,
    asked_at    TIMESTAMPTZ NOT NULL,
    asked       JSONB NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'failed')),
    attempts    BIGINT NOT NULL,
    lease_until TIMESTAMPTZ,
    fence       BIGINT NOT NULL,
    progress    JSONB,
    run_id      TEXT,
    finished_at TIMESTAMPTZ,
    error       TEXT
);

CREATE UNIQUE INDEX asked_rounds_once ON asked_rounds (channel, slot) WHERE state IN ('waiting', 'running');

-- One message per round. It is rendered anew while `wanted` is ahead of `shown`: at once while `urgent` is, too, and
-- otherwise not before `quiet_until`.
CREATE TABLE messages (
    id            TEXT PRIMARY KEY REFERENCES asked_rounds (id),
    channel       TEXT NOT NULL,
    ts            TEXT,
    state         TEXT NOT NULL CHECK (state IN ('living', 'old', 'gone')),
    newer         TEXT,
    wanted        BIGINT NOT NULL,
    urgent        BIGINT NOT NULL,
    shown         BIGINT NOT NULL,
    digest        TEXT,
    attempts      BIGINT NOT NULL,
    not_before    TIMESTAMPTZ,
    quiet_until   TIMESTAMPTZ,
    lease_until   TIMESTAMPTZ,
    fence         BIGINT NOT NULL,
    first_sent_at TIMESTAMPTZ,
    -- When it was posted although an earlier post may yet turn up: copies are looked for some time longer.
    doubted_at    TIMESTAMPTZ,
    last_error    TEXT
);

CREATE INDEX messages_to_show ON messages (id) WHERE wanted > shown;
CREATE INDEX messages_of_channel ON messages (channel, state);

-- Which local dates have had their summary. The key is what makes it one.
CREATE TABLE summaries (
    channel    TEXT NOT NULL,
    local_date TEXT NOT NULL,
    due_at     TIMESTAMPTZ NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('begun', 'missed')),
    PRIMARY KEY (channel, local_date)
);

-- When each process last wrote: whoever can't write here can keep no request either.
CREATE TABLE pulse (
    writer TEXT PRIMARY KEY,
    at     TIMESTAMPTZ NOT NULL
);

-- What the run was judged against, so that it can be shown again with newer decisions.
ALTER TABLE runs ADD COLUMN past JSONB;

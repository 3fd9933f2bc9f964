CREATE TABLE ops_log (
    seq       BIGINT PRIMARY KEY,
    at        TIMESTAMPTZ NOT NULL,
    kind      TEXT NOT NULL,
    subject   TEXT NOT NULL,
    body_hash TEXT NOT NULL,
    prev_hash TEXT NOT NULL,
    hash      TEXT NOT NULL
);

CREATE INDEX ops_log_by_time ON ops_log (at);

-- Apart from the entries, because this part can be erased: body and salt together, and nothing else of it.
CREATE TABLE ops_log_bodies (
    seq  BIGINT PRIMARY KEY REFERENCES ops_log (seq),
    salt TEXT,
    body TEXT,
    CHECK ((salt IS NULL) = (body IS NULL))
);

-- One row: its lock makes the sequence gapless.
CREATE TABLE chain_head (
    one  INTEGER PRIMARY KEY CHECK (one = 1),
    seq  BIGINT NOT NULL,
    hash TEXT NOT NULL
);

INSERT INTO chain_head (one, seq, hash)
VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000');

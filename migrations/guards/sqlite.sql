DROP TRIGGER IF EXISTS ops_log_refuses_update;
CREATE TRIGGER ops_log_refuses_update BEFORE UPDATE ON ops_log
BEGIN SELECT RAISE(ABORT, 'the ops log is append-only'); END;

DROP TRIGGER IF EXISTS ops_log_refuses_delete;
CREATE TRIGGER ops_log_refuses_delete BEFORE DELETE ON ops_log
BEGIN SELECT RAISE(ABORT, 'the ops log is append-only'); END;

-- INSERT OR REPLACE deletes without firing a delete trigger.
DROP TRIGGER IF EXISTS ops_log_refuses_replace;
CREATE TRIGGER ops_log_refuses_replace BEFORE INSERT ON ops_log
WHEN EXISTS (SELECT 1 FROM ops_log WHERE seq = NEW.seq)
BEGIN SELECT RAISE(ABORT, 'the ops log is append-only'); END;

DROP TRIGGER IF EXISTS ops_log_bodies_refuse_update;
CREATE TRIGGER ops_log_bodies_refuse_update BEFORE UPDATE ON ops_log_bodies
WHEN NEW.seq IS NOT OLD.seq OR NEW.salt IS NOT NULL OR NEW.body IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'the ops log is append-only: a body can only be erased, with its salt'); END;

DROP TRIGGER IF EXISTS ops_log_bodies_refuse_delete;
CREATE TRIGGER ops_log_bodies_refuse_delete BEFORE DELETE ON ops_log_bodies
BEGIN SELECT RAISE(ABORT, 'the ops log is append-only: a body can only be erased, with its salt'); END;

DROP TRIGGER IF EXISTS ops_log_bodies_refuse_replace;
CREATE TRIGGER ops_log_bodies_refuse_replace BEFORE INSERT ON ops_log_bodies
WHEN EXISTS (SELECT 1 FROM ops_log_bodies WHERE seq = NEW.seq)
BEGIN SELECT RAISE(ABORT, 'the ops log is append-only: a body can only be erased, with its salt'); END;

DROP TRIGGER IF EXISTS chain_head_refuses_delete;
CREATE TRIGGER chain_head_refuses_delete BEFORE DELETE ON chain_head
BEGIN SELECT RAISE(ABORT, 'the ops log is append-only'); END;

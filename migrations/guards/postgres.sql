CREATE OR REPLACE FUNCTION ops_log_refuses() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the ops log is append-only';
END $$;

CREATE OR REPLACE FUNCTION ops_log_bodies_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.seq = OLD.seq AND NEW.salt IS NULL AND NEW.body IS NULL THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the ops log is append-only: a body can only be erased, with its salt';
END $$;

CREATE OR REPLACE TRIGGER ops_log_refuses_change BEFORE UPDATE OR DELETE ON ops_log
FOR EACH ROW EXECUTE FUNCTION ops_log_refuses();

CREATE OR REPLACE TRIGGER ops_log_refuses_truncate BEFORE TRUNCATE ON ops_log
FOR EACH STATEMENT EXECUTE FUNCTION ops_log_refuses();

CREATE OR REPLACE TRIGGER ops_log_bodies_refuse_change BEFORE UPDATE OR DELETE ON ops_log_bodies
FOR EACH ROW EXECUTE FUNCTION ops_log_bodies_refuse();

CREATE OR REPLACE TRIGGER ops_log_bodies_refuse_truncate BEFORE TRUNCATE ON ops_log_bodies
FOR EACH STATEMENT EXECUTE FUNCTION ops_log_bodies_refuse();

CREATE OR REPLACE TRIGGER chain_head_refuses_delete BEFORE DELETE ON chain_head
FOR EACH ROW EXECUTE FUNCTION ops_log_refuses();

CREATE OR REPLACE TRIGGER chain_head_refuses_truncate BEFORE TRUNCATE ON chain_head
FOR EACH STATEMENT EXECUTE FUNCTION ops_log_refuses();

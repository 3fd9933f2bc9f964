-- What the chat calls the message that this one was posted in place of, because it could not be edited any more.
ALTER TABLE messages ADD COLUMN lost_ts TEXT;
-- When a post was last tried.
ALTER TABLE messages ADD COLUMN sent_at TIMESTAMPTZ;

-- Calls have ended before their batch was read: only then are its rows searched for them.
ALTER TABLE batches ADD COLUMN early_ends boolean NOT NULL DEFAULT false;

-- Lists that are being prepared: working tables, backed up.  Each list has a key of its own in the
-- vault; blocks are sealed under it, and a deleted list is unreadable at once.
CREATE TABLE lists (
    list_id uuid PRIMARY KEY,
    account_id text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    deleted boolean NOT NULL DEFAULT false
);
CREATE INDEX lists_to_forget ON lists (list_id) WHERE deleted;

-- What was sent into a list, file after file.  A row's number in the list is base plus its number in
-- the file; sealed: the columns of the file, or the keys of typed rows.
CREATE TABLE list_files (
    upload_id uuid PRIMARY KEY,
    list_id uuid NOT NULL REFERENCES lists,
    base integer NOT NULL,
    rows integer NOT NULL,
    columns bytea NOT NULL,
    UNIQUE (list_id, base)
);

-- Rows as they were written, some hundred sealed together.  marks: for each from the first to the
-- last, what is equal for equal phone numbers and tells nothing else; 0 where it is not called.
CREATE TABLE list_blocks (
    upload_id uuid NOT NULL,
    block_no integer NOT NULL,
    first_row integer NOT NULL,
    last_row integer NOT NULL,
    accepted integer NOT NULL,
    rejected integer NOT NULL,
    marks bigint[] STORAGE EXTERNAL NOT NULL,
    sealed bytea STORAGE EXTERNAL NOT NULL,
    PRIMARY KEY (upload_id, block_no)
);

-- All accepted rows of a list whose number another accepted one has, too.
CREATE TABLE list_twins (
    list_id uuid NOT NULL REFERENCES lists,
    "row" integer NOT NULL,
    mark bigint NOT NULL,
    PRIMARY KEY (list_id, "row")
);
CREATE INDEX list_twins_of_a_mark ON list_twins (list_id, mark, "row");

-- A list's numbers are compared by mark in a batch, too.
ALTER TABLE upload_chunks DROP COLUMN digests, ADD COLUMN marks bigint[] STORAGE EXTERNAL;

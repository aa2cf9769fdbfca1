-- The variables that a batch's people have, each once: the columns of its results.  `row` and
-- `place` are where it is met first, the least of all that were read, so any order folds the same.
-- The id is derived from batch and name: a name may be longer than an index entry may be.
CREATE TABLE batch_variables (
    variable_id uuid PRIMARY KEY,
    batch_id uuid NOT NULL,
    name text NOT NULL,
    row integer NOT NULL,
    place integer NOT NULL
);
CREATE INDEX variables_of_batch ON batch_variables (batch_id);

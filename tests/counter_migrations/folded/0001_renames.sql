-- not compared: renames.id
CREATE TABLE renames (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    batch_id uuid NOT NULL,
    command_no integer NOT NULL
);

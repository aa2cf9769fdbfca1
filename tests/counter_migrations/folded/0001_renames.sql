-- not compared: renames.id
CREATE TABLE renames (
    id bigint GENERATED ALWAYS AS IDENTITY,
    batch_id uuid NOT NULL,
    command_no integer NOT NULL,
    times bigint NOT NULL,
    PRIMARY KEY (batch_id, command_no)
);

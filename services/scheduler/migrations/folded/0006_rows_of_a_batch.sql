-- The end of a batch and its deletion look at its rows alone, however many others there are.
CREATE INDEX recipients_of_a_batch ON recipients (batch_id);

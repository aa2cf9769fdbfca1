-- Whom nobody has been granted a slot for yet, by their zones and the time they asked for: what a
-- batch waits for is the first entry of each set of zones, not a walk over all who wait.  In the
-- order in which slots are granted: how many go before somebody is counted along it.
CREATE INDEX recipients_uncalled ON recipients (batch_id, zones, not_before NULLS FIRST, row)
    WHERE grant_no = 0 AND NOT removed AND row IS NOT NULL;

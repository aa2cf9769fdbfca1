-- Folds.

-- name: know_batches
-- A row to hold on to for every batch that was heard of.
INSERT INTO batches (batch_id, account_id)
SELECT * FROM unnest($1::uuid[], $2::text[]) AS heard (batch_id, account_id) ORDER BY 1
ON CONFLICT (batch_id) DO NOTHING;

-- name: configure_accounts
INSERT INTO accounts AS a (account_id, concurrency, version)
SELECT * FROM unnest($1::text[], $2::integer[], $3::integer[]) AS e ORDER BY 1
ON CONFLICT (account_id) DO UPDATE
SET concurrency = excluded.concurrency, version = excluded.version
WHERE a.version < excluded.version;

-- name: know_agents
INSERT INTO agents AS a (account_id, agent_id, usable, version)
SELECT * FROM unnest($1::text[], $2::text[], $3::boolean[], $4::integer[]) AS e ORDER BY 1, 2
ON CONFLICT (account_id, agent_id) DO UPDATE
SET usable = excluded.usable, version = excluded.version
WHERE a.version < excluded.version;

-- name: know_phone_numbers
INSERT INTO phone_numbers AS n (account_id, phone_number, usable, version)
SELECT * FROM unnest($1::text[], $2::text[], $3::boolean[], $4::integer[]) AS e ORDER BY 1, 2
ON CONFLICT (account_id, phone_number) DO UPDATE
SET usable = excluded.usable, version = excluded.version
WHERE n.version < excluded.version;

-- name: commands_folded
SELECT batch_id, command_no FROM batches WHERE batch_id = ANY ($1::uuid[])
ORDER BY batch_id FOR UPDATE;

-- name: create_batches
UPDATE batches b SET created = c.created
FROM unnest($1::uuid[], $2::text[]) AS c (batch_id, created) WHERE b.batch_id = c.batch_id;

-- name: delete_batches
UPDATE batches SET deleted = true WHERE batch_id = ANY ($1::uuid[]);

-- name: forget_recipients
-- Of a deleted batch a skeleton stays: its calls in flight still hold their slots.
UPDATE recipients
SET sealed = NULL, zones = '', not_before = NULL, from_number = NULL
WHERE batch_id = ANY ($1::uuid[]) AND sealed IS NOT NULL;

-- name: forget_zones
DELETE FROM batch_zones WHERE batch_id = ANY ($1::uuid[]);

-- name: ask
-- A command waits for its verdict, unless that came before it.
INSERT INTO commands (batch_id, command_no, account_id, type, body, asked_at)
SELECT b.batch_id, c.command_no, b.account_id, c.type, c.body, c.asked_at
FROM unnest($1::uuid[], $2::integer[], $3::text[], $4::text[], $5::timestamptz[])
     AS c (batch_id, command_no, type, body, asked_at)
JOIN batches b USING (batch_id)
WHERE b.answered_no < c.command_no;

-- name: move_on
-- The last command folded of each.
UPDATE batches b SET command_no = c.command_no
FROM unnest($1::uuid[], $2::integer[]) AS c (batch_id, command_no) WHERE b.batch_id = c.batch_id;

-- name: announce_additions
INSERT INTO additions AS a (addition_id, batch_id, chunks, accepted)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::integer[], $4::boolean[]) AS announced ORDER BY 1
ON CONFLICT (addition_id) DO UPDATE
SET chunks = excluded.chunks, accepted = a.accepted OR excluded.accepted;

-- name: accept_addition
INSERT INTO additions (addition_id, batch_id, accepted) VALUES ($1, $2, true)
ON CONFLICT (addition_id) DO UPDATE SET accepted = true;

-- name: fail_addition
INSERT INTO additions (addition_id, batch_id, failed) VALUES ($1, $2, true)
ON CONFLICT (addition_id) DO UPDATE SET failed = true;

-- name: remove_recipient
INSERT INTO recipients (recipient_id, batch_id, account_id, removed) VALUES ($1, $2, $3, true)
ON CONFLICT (recipient_id) DO UPDATE SET removed = true;

-- name: take_statuses
UPDATE batches b
SET sequence = s.sequence, status = s.status, result = s.result, reason_code = s.reason_code,
    reason = s.reason, epoch = s.epoch, retry_epoch = s.retry_epoch,
    unknown_retry_epoch = s.unknown_retry_epoch, answered_no = s.answered_no,
    scheduled_at = s.scheduled_at, started_at = s.started_at, finished_at = s.finished_at,
    expires_at = s.expires_at, naps_until = NULL
FROM unnest($1::uuid[], $2::integer[], $3::text[], $4::text[], $5::text[], $6::text[], $7::integer[],
            $8::integer[], $9::integer[], $10::integer[], $11::timestamptz[], $12::timestamptz[],
            $13::timestamptz[], $14::timestamptz[])
     AS s (batch_id, sequence, status, result, reason_code, reason, epoch, retry_epoch,
           unknown_retry_epoch, answered_no, scheduled_at, started_at, finished_at, expires_at)
WHERE b.batch_id = s.batch_id AND b.sequence < s.sequence;

-- name: drop_answered
DELETE FROM commands c USING batches b
WHERE c.batch_id = ANY ($1::uuid[]) AND b.batch_id = c.batch_id AND c.command_no <= b.answered_no;

-- name: hold_batches
-- What rows are derived from; held, so that no creation or deletion passes them by meanwhile.
SELECT batch_id, created, deleted FROM batches WHERE batch_id = ANY ($1::uuid[])
ORDER BY batch_id FOR SHARE;

-- name: land_chunks
-- A chunk that comes again is not counted again.
WITH fresh AS (
    INSERT INTO chunks (addition_id, chunk_no)
    SELECT addition_id, chunk_no FROM unnest($1::uuid[], $3::integer[]) AS c (addition_id, chunk_no)
    ORDER BY 1, 2
    ON CONFLICT DO NOTHING
    RETURNING addition_id
)
INSERT INTO additions AS a (addition_id, batch_id, landed)
SELECT f.addition_id, c.batch_id, count(*)
FROM fresh f
JOIN (SELECT DISTINCT * FROM unnest($1::uuid[], $2::uuid[]) AS u (addition_id, batch_id)) c USING (addition_id)
GROUP BY 1, 2 ORDER BY 1
ON CONFLICT (addition_id) DO UPDATE SET landed = a.landed + excluded.landed;

-- name: land_recipients
INSERT INTO recipients AS r
    (recipient_id, batch_id, account_id, addition_id, row, sealed, zones, not_before, from_number, same_number_as)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::integer[], $6::text[],
                     $7::text[], $8::timestamptz[], $9::text[], $10::uuid[]) AS entry
ORDER BY 1
ON CONFLICT (recipient_id) DO UPDATE
SET addition_id = excluded.addition_id, row = excluded.row, sealed = excluded.sealed,
    zones = excluded.zones, not_before = excluded.not_before, from_number = excluded.from_number,
    same_number_as = excluded.same_number_as
WHERE r.addition_id IS NULL;

-- name: land_zones
INSERT INTO batch_zones (batch_id, zones)
SELECT DISTINCT * FROM unnest($1::uuid[], $2::text[]) AS z (batch_id, zones) ORDER BY 1, 2
ON CONFLICT DO NOTHING;

-- name: ignore_zones
-- The window has a zone of its own: those of the rows do not matter.
-- Where no chunk came before it, nothing is searched.
UPDATE recipients r SET zones = ''
FROM (SELECT DISTINCT batch_id FROM batch_zones WHERE batch_id = ANY ($1::uuid[])) z
WHERE r.batch_id = z.batch_id AND r.zones <> '';

-- name: advance
-- The pair (grant_no, stage) only grows.
INSERT INTO recipients AS r
    (recipient_id, batch_id, account_id, grant_no, stage, epoch, attempt, run_attempt,
     outcome, ended_at, returned_not_before, retry_at)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::integer[], $5::integer[], $6::integer[],
                     $7::integer[], $8::integer[], $9::text[], $10::timestamptz[], $11::timestamptz[],
                     $12::timestamptz[]) AS progress
ORDER BY 1
ON CONFLICT (recipient_id) DO UPDATE
SET grant_no = excluded.grant_no, stage = excluded.stage, epoch = excluded.epoch,
    attempt = excluded.attempt, run_attempt = excluded.run_attempt, outcome = excluded.outcome,
    ended_at = excluded.ended_at, returned_not_before = excluded.returned_not_before,
    retry_at = excluded.retry_at
WHERE (r.grant_no, r.stage) < (excluded.grant_no, excluded.stage);

-- name: early_ends
-- Ends that came before the batch's policy was known, if any did.
WITH early AS (
    UPDATE batches SET early_ends = false WHERE batch_id = ANY ($1::uuid[]) AND early_ends
    RETURNING batch_id
)
SELECT r.batch_id, recipient_id, grant_no, stage, epoch, attempt, run_attempt, outcome, ended_at
FROM early JOIN recipients r USING (batch_id)
WHERE r.stage IN (5, 6);

-- name: note_early_ends
UPDATE batches SET early_ends = true
WHERE batch_id = ANY ($1::uuid[]) AND created IS NULL AND NOT early_ends;

-- name: set_retry
UPDATE recipients r SET retry_at = d.retry_at
FROM unnest($1::uuid[], $2::timestamptz[]) AS d (recipient_id, retry_at)
WHERE r.recipient_id = d.recipient_id;

-- name: lose_sight
INSERT INTO unknown_calls (call_id, recipient_id, grant_no, requested_at)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::integer[], $4::timestamptz[]) AS u ORDER BY 1
ON CONFLICT (call_id) DO NOTHING;

-- name: settle
UPDATE unknown_calls SET settled = true WHERE call_id = ANY ($1::uuid[]);

-- name: meet_fatal_fault
-- The newest epoch counts; among equals the same word whatever the order.
UPDATE batches SET fatal_epoch = $2, fatal_detail = $3
WHERE batch_id = $1 AND (fatal_epoch < $2 OR (fatal_epoch = $2 AND fatal_detail > $3));

-- name: wake
INSERT INTO wakes (account_id, due_at, traceparent, batch_id, for_all)
SELECT account_id, clock_timestamp(), traceparent, batch_id, for_all
FROM unnest($1::text[], $2::uuid[], $3::boolean[], $4::text[])
     AS w (account_id, batch_id, for_all, traceparent);

-- name: wake_batch
INSERT INTO wakes (account_id, due_at, batch_id, for_all)
SELECT account_id, clock_timestamp(), batch_id, false FROM batches WHERE batch_id = $1;

-- Decisions.

-- name: wake_all
-- At start: what was to come may have been lost with the working tables.
INSERT INTO wakes (account_id, due_at, for_all)
SELECT account_id, clock_timestamp(), true
FROM (SELECT account_id FROM batches WHERE acts_at IS NOT NULL
      UNION SELECT account_id FROM batches WHERE status = 'RUNNING' AND NOT deleted
      UNION SELECT account_id FROM commands) AS w;

-- name: accounts_due
SELECT account_id FROM wakes WHERE due_at <= clock_timestamp()
GROUP BY account_id ORDER BY min(due_at) LIMIT $1;

-- name: next_wake
SELECT extract(epoch FROM min(due_at) - clock_timestamp())::float8 AS seconds FROM wakes;

-- name: lock_accounts
-- In a statement of its own: whoever reads in the statement that waits reads the old state.
-- One after the other in the order all deciders keep to, the rebuild's lock before them.
-- The decision's statements are planned once, for tables of any size: by their indexes, and in
-- their order.  Whatever the statistics say, nobody gathers a million who wait and sorts them to
-- find the next few.
SELECT pg_advisory_xact_lock_shared(7301), set_config('plan_cache_mode', 'force_generic_plan', true),
       set_config('enable_seqscan', 'off', true), set_config('enable_sort', 'off', true)
UNION ALL
SELECT pg_advisory_xact_lock(key), NULL, NULL, NULL
FROM (SELECT DISTINCT hashtextextended('account:' || a, 0) AS key
      FROM unnest($1::text[]) AS a ORDER BY key) AS keys;

-- name: begin
-- What woke the accounts is taken as far as it can be seen (the next instant is found anew, what
-- wakes them later stays); whom it names is up.  And in the same glance:
-- the clock, the limits, the calls.
WITH clock AS MATERIALIZED (
    SELECT clock_timestamp() AS at
), taken AS (
    DELETE FROM wakes WHERE account_id = ANY ($1::text[])
    RETURNING id, account_id, traceparent, batch_id, for_all
), up AS (
    UPDATE batches SET naps_until = NULL
    WHERE naps_until IS NOT NULL AND batch_id IN (
        SELECT batch_id FROM taken WHERE batch_id IS NOT NULL
        UNION ALL
        SELECT n.batch_id FROM taken t JOIN batches n USING (account_id)
        WHERE t.for_all AND n.naps_until IS NOT NULL
    )
)
SELECT a.account_id, (SELECT at FROM clock) AS at, l.concurrency,
       (SELECT traceparent FROM taken t WHERE t.account_id = a.account_id AND traceparent IS NOT NULL
        ORDER BY id DESC LIMIT 1) AS cause,
       EXISTS (SELECT FROM commands c WHERE c.account_id = a.account_id) AS asked,
       (SELECT coalesce(jsonb_object_agg(c.batch_id, c.calls), '{}')
        FROM (SELECT r.batch_id, count(*) AS calls FROM recipients r
              WHERE r.account_id = a.account_id AND r.stage IN (1, 2, 3) GROUP BY 1) c) AS calls
FROM unnest($1::text[]) AS a (account_id)
LEFT JOIN accounts l USING (account_id);

-- name: close
-- Whose turn it was, and who naps until when.
WITH turned AS (
    INSERT INTO turns (batch_id, granted_at) SELECT id, $1 FROM unnest($2::uuid[]) AS t (id) ORDER BY 1
    ON CONFLICT (batch_id) DO UPDATE SET granted_at = excluded.granted_at
)
UPDATE batches b SET naps_until = n.until
FROM unnest($3::uuid[], $4::timestamptz[]) AS n (batch_id, until)
WHERE b.batch_id = n.batch_id;

-- name: set_wakes
-- When each account is looked at again: then, or when the next of its batches may have to act.
INSERT INTO wakes (account_id, due_at)
SELECT account_id, due_at
FROM (
    SELECT a.account_id, least(
        a.again,
        (SELECT min(b.acts_at) FROM batches b
         WHERE b.account_id = a.account_id AND b.status = 'RUNNING' AND NOT b.deleted AND b.acts_at > $3),
        (SELECT min(b.acts_at) FROM batches b
         WHERE b.account_id = a.account_id AND b.status <> 'RUNNING' AND b.acts_at > $3)
    ) AS due_at
    FROM unnest($1::text[], $2::timestamptz[]) AS a (account_id, again)
) AS w
WHERE due_at IS NOT NULL
RETURNING due_at;

-- name: put_off_wakes
UPDATE wakes SET due_at = greatest(due_at, clock_timestamp() + $2::interval) WHERE account_id = $1;

-- name: load_batches
-- Who may have something to do: whoever runs, and of each account those that are due first; unless
-- it naps.  And those that commands are for.
WITH who AS (
    SELECT b.batch_id, false AS due
    FROM batches b
    WHERE b.account_id = ANY ($1::text[]) AND b.status = 'RUNNING' AND NOT b.deleted AND b.acts_at <= $2
      AND NOT EXISTS (SELECT FROM quarantined_batches q WHERE q.batch_id = b.batch_id)
    UNION ALL
    SELECT d.batch_id, true
    FROM unnest($1::text[]) AS a (account_id)
    CROSS JOIN LATERAL (
        SELECT b.batch_id FROM batches b
        WHERE b.account_id = a.account_id AND b.status <> 'RUNNING' AND b.acts_at <= $2
          AND NOT EXISTS (SELECT FROM quarantined_batches q WHERE q.batch_id = b.batch_id)
        ORDER BY b.acts_at LIMIT $3
    ) d
    UNION ALL
    SELECT batch_id, false FROM unnest($4::uuid[]) AS asked (batch_id)
), once AS (
    SELECT batch_id, bool_or(due) AS due FROM who GROUP BY 1
)
SELECT b.batch_id, b.account_id, b.deleted, b.sequence, b.status, b.result, b.reason_code, b.reason,
       b.epoch, b.retry_epoch, b.unknown_retry_epoch, b.answered_no, b.scheduled_at, b.started_at,
       b.finished_at, b.expires_at, b.fatal_epoch, b.fatal_detail, t.granted_at, once.due,
       coalesce(a.landed, true) AS landed, coalesce(a.failed, false) AS import_failed,
       coalesce(a.incomplete, '{}') AS incomplete,
       EXISTS (SELECT FROM agents g WHERE g.account_id = b.account_id AND g.agent_id = b.agent_id
               AND NOT g.usable) AS agent_inactive,
       EXISTS (SELECT FROM phone_numbers n WHERE n.account_id = b.account_id
               AND n.phone_number = b.from_number AND NOT n.usable) AS not_outbound
FROM once
JOIN batches b USING (batch_id)
LEFT JOIN turns t USING (batch_id)
LEFT JOIN LATERAL (
    SELECT bool_and(landed >= chunks) AS landed, bool_or(failed) AS failed,
           array_agg(addition_id) FILTER (WHERE landed < chunks) AS incomplete
    FROM additions WHERE batch_id = b.batch_id AND accepted AND chunks IS NOT NULL
) a ON true
WHERE b.created IS NOT NULL
ORDER BY b.batch_id;

-- name: created_of
SELECT batch_id, created FROM batches WHERE batch_id = ANY ($1::uuid[]) AND created IS NOT NULL;

-- name: commands_to_answer
-- Of each account those asked first, and those before them of the same batch; in a batch's order.
SELECT a.account_id, c.batch_id, c.type, c.body
FROM unnest($1::text[]) AS a (account_id)
CROSS JOIN LATERAL (
    SELECT o.* FROM (
        SELECT DISTINCT f.batch_id FROM (
            SELECT batch_id FROM commands
            WHERE account_id = a.account_id
              AND NOT EXISTS (SELECT FROM quarantined_batches q WHERE q.batch_id = commands.batch_id)
            ORDER BY asked_at, batch_id LIMIT $2
        ) f
    ) b
    JOIN commands o USING (batch_id)
    ORDER BY o.batch_id, o.command_no LIMIT $2
) c;

-- name: removable
-- Who is there of those asked for, and whether anybody has called them or is about to.
SELECT r.batch_id, r.recipient_id, r.attempt = 0 AND r.stage IN (0, 4) AS removable
FROM unnest($1::uuid[], $2::uuid[]) AS a (batch_id, recipient_id)
JOIN recipients r USING (batch_id, recipient_id)
WHERE NOT r.removed AND r.sealed IS NOT NULL;

-- name: waiting
-- Batches in which someone is still to be called.
SELECT b.batch_id
FROM unnest($1::uuid[], $2::integer[], $3::integer[]) AS b (batch_id, retry_epoch, unknown_retry_epoch)
WHERE EXISTS (
    SELECT FROM recipients r WHERE r.batch_id = b.batch_id AND r.due_at IS NOT NULL
) OR EXISTS (
    SELECT FROM batch_zones z JOIN recipients r ON r.batch_id = z.batch_id AND r.zones = z.zones
    WHERE z.batch_id = b.batch_id AND r.stage = 6 AND r.epoch < b.retry_epoch AND r.attempt < $4
      AND r.outcome NOT IN ('completed', 'voicemail') AND NOT r.removed AND r.sealed IS NOT NULL
) OR EXISTS (
    SELECT FROM batch_zones z JOIN recipients r ON r.batch_id = z.batch_id AND r.zones = z.zones
    WHERE z.batch_id = b.batch_id AND r.stage = 5 AND r.epoch < b.unknown_retry_epoch AND r.attempt < $4
      AND r.outcome NOT IN ('completed', 'voicemail') AND NOT r.removed AND r.sealed IS NOT NULL
);

-- name: tally
-- Whether any were reached, and any not.
SELECT b.batch_id,
       EXISTS (SELECT FROM recipients r WHERE r.batch_id = b.batch_id AND NOT r.removed
               AND r.outcome IN ('completed', 'voicemail') AND r.addition_id IS NOT NULL) AS completed,
       EXISTS (SELECT FROM recipients r WHERE r.batch_id = b.batch_id AND r.due_at IS NOT NULL)
       OR EXISTS (SELECT FROM recipients r WHERE r.batch_id = b.batch_id AND NOT r.removed
                  AND r.outcome NOT IN ('completed', 'voicemail') AND r.sealed IS NOT NULL)
       OR EXISTS (SELECT FROM recipients r JOIN batches h USING (account_id, batch_id)
                  WHERE h.batch_id = b.batch_id AND NOT r.removed AND r.stage IN (1, 2, 3)) AS not_completed
FROM unnest($1::uuid[]) AS b (batch_id);

-- name: zones_of
SELECT batch_id, zones FROM batch_zones WHERE batch_id = ANY ($1::uuid[]);

-- name: candidates
-- Who may be called now, a batch's first ones in their order; never two of one number at a time.
-- OFFSET 0: the other row of a number is looked up by its id; else all who wait are gathered to tell.
SELECT c.*, coalesce(u.calls, '[]') AS look_up_first,
       c.from_number IS NULL OR NOT EXISTS (
           SELECT FROM phone_numbers n WHERE n.account_id = c.account_id
             AND n.phone_number = c.from_number AND NOT n.usable) AS usable
FROM (
    SELECT p.*, o.most, row_number() OVER (PARTITION BY p.batch_id ORDER BY p.asked, p.due, p.row) AS place
    FROM unnest($1::uuid[], $2::text[], $3::integer[], $4::integer[], $7::integer[])
         AS o (batch_id, zones, retry_epoch, unknown_retry_epoch, most)
    CROSS JOIN LATERAL (
        (SELECT r.*, false AS asked, r.due_at AS due FROM recipients r
         WHERE r.batch_id = o.batch_id AND r.zones = o.zones AND r.due_at <= $5
           AND r.addition_id <> ALL ($6::uuid[])
           AND (r.same_number_as IS NULL OR NOT EXISTS (
                SELECT FROM recipients e WHERE e.recipient_id = r.same_number_as AND NOT e.removed
                  AND (e.due_at IS NOT NULL OR e.stage IN (1, 2, 3)) OFFSET 0))
         ORDER BY r.due_at, r.row LIMIT o.most)
        UNION ALL
        (SELECT r.*, true AS asked, r.ended_at AS due FROM recipients r
         WHERE r.batch_id = o.batch_id AND r.zones = o.zones AND r.stage = 6 AND r.epoch < o.retry_epoch
           AND r.outcome NOT IN ('completed', 'voicemail') AND NOT r.removed AND r.sealed IS NOT NULL
           AND (r.due_at IS NULL OR r.due_at > $5) AND r.attempt < $8
           AND (r.same_number_as IS NULL OR NOT EXISTS (
                SELECT FROM recipients e WHERE e.recipient_id = r.same_number_as AND NOT e.removed
                  AND (e.due_at IS NOT NULL OR e.stage IN (1, 2, 3) OR e.stage = 6
                       AND e.epoch < o.retry_epoch AND e.attempt < $8
                       AND e.outcome NOT IN ('completed', 'voicemail')) OFFSET 0))
         ORDER BY r.epoch, r.row LIMIT o.most)
        UNION ALL
        (SELECT r.*, true AS asked, r.ended_at AS due FROM recipients r
         WHERE r.batch_id = o.batch_id AND r.zones = o.zones AND r.stage = 5
           AND r.epoch < o.unknown_retry_epoch
           AND r.outcome NOT IN ('completed', 'voicemail') AND NOT r.removed AND r.sealed IS NOT NULL
           AND (r.due_at IS NULL OR r.due_at > $5) AND r.attempt < $8
           AND (r.same_number_as IS NULL OR NOT EXISTS (
                SELECT FROM recipients e WHERE e.recipient_id = r.same_number_as
                  AND e.stage IN (1, 2, 3) OFFSET 0))
         ORDER BY r.epoch, r.row LIMIT o.most)
    ) p
) c
LEFT JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_object('call_id', call_id, 'requested_at', requested_at) ORDER BY grant_no)
           AS calls
    FROM unknown_calls WHERE recipient_id = c.recipient_id AND NOT settled
) u ON true
WHERE c.place <= c.most
ORDER BY c.batch_id, c.place;

-- name: next_due
-- When the next one of each batch becomes due in a zone that is open.
SELECT o.batch_id, min(d.due_at) AS due_at
FROM unnest($1::uuid[], $2::text[]) AS o (batch_id, zones)
CROSS JOIN LATERAL (
    SELECT r.due_at FROM recipients r
    WHERE r.batch_id = o.batch_id AND r.zones = o.zones AND r.due_at > $3
    ORDER BY r.due_at, r.row LIMIT 1
) d
GROUP BY 1;

-- name: fold_grants
-- A call the log has told of before its grant only gets what it lacks.
INSERT INTO calls AS c (
    call_id, account_id, batch_id, recipient_id, grant_no, attempt, run_attempt, epoch, state,
    granted_at, sealed, agent_id, from_number, place_before, max_duration_seconds,
    look_up_first, traceparent, next_check_at
)
SELECT
    g.call_id, g.account_id, g.batch_id, g.recipient_id, g.grant_no, g.attempt, g.run_attempt,
    g.epoch, 'GRANTED', g.granted_at, g.sealed, g.agent_id, g.from_number, g.place_before,
    g.max_duration_seconds, g.look_up_first::jsonb, g.traceparent,
    CASE WHEN g.look_up_first IS NOT NULL THEN g.granted_at END
FROM unnest(
    $1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::int[], $6::int[], $7::int[], $8::int[],
    $9::timestamptz[], $10::text[], $11::text[], $12::text[], $13::timestamptz[], $14::int[],
    $15::text[], $16::text[]
) AS g (
    call_id, account_id, batch_id, recipient_id, grant_no, attempt, run_attempt, epoch,
    granted_at, sealed, agent_id, from_number, place_before, max_duration_seconds,
    look_up_first, traceparent
)
ORDER BY g.call_id
ON CONFLICT (call_id) DO UPDATE SET
    granted_at = excluded.granted_at, sealed = excluded.sealed, agent_id = excluded.agent_id,
    from_number = excluded.from_number, place_before = excluded.place_before,
    max_duration_seconds = excluded.max_duration_seconds, traceparent = excluded.traceparent
WHERE c.sealed IS NULL

-- name: unheard_of
-- Nearly always none.  A call that has ended is left to fold_calls, which knows with what outcome.
SELECT t.call_id
FROM unnest($1::uuid[], $2::call_state[]) AS t (call_id, state)
LEFT JOIN calls AS known USING (call_id)
WHERE
    known.call_id IS NULL
    OR (t.state > known.state AND NOT (t.state = 'UNKNOWN' AND known.state = 'INTENT'))
    OR (t.state = 'ENDED' AND known.outcome = 'unknown')

-- name: fold_calls
-- Our own word of a call, where it goes further than what is here: after a loss of this database.
-- Whatever is in hand (INTENT) is not disturbed by the echo of its own announcement.
INSERT INTO calls AS c (
    call_id, account_id, batch_id, recipient_id, grant_no, attempt, run_attempt, epoch, state,
    requested_at, send_before, announced_at, carrier, carrier_call_id, started_at, answered_at,
    ended_at, outcome, cause, unknown_since, next_check_at
)
SELECT t.*
FROM unnest(
    $1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::int[], $6::int[], $7::int[], $8::int[],
    $9::call_state[], $10::timestamptz[], $11::timestamptz[], $12::timestamptz[], $13::text[],
    $14::text[], $15::timestamptz[], $16::timestamptz[], $17::timestamptz[], $18::text[],
    $19::text[], $20::timestamptz[], $21::timestamptz[]
) AS t (
    call_id, account_id, batch_id, recipient_id, grant_no, attempt, run_attempt, epoch, state,
    requested_at, send_before, announced_at, carrier, carrier_call_id, started_at, answered_at,
    ended_at, outcome, cause, unknown_since, next_check_at
)
LEFT JOIN calls AS known ON known.call_id = t.call_id
WHERE
    known.call_id IS NULL
    OR (t.state > known.state AND NOT (t.state = 'UNKNOWN' AND known.state = 'INTENT'))
    OR (known.state = 'ENDED' AND t.state = 'ENDED'
        AND known.outcome = 'unknown' AND t.outcome <> 'unknown')
ORDER BY t.call_id
ON CONFLICT (call_id) DO UPDATE SET
    state = excluded.state, requested_at = excluded.requested_at,
    send_before = coalesce(excluded.send_before, c.send_before),
    announced_at = coalesce(excluded.announced_at, c.announced_at),
    carrier = coalesce(excluded.carrier, c.carrier),
    carrier_call_id = coalesce(excluded.carrier_call_id, c.carrier_call_id),
    started_at = coalesce(excluded.started_at, c.started_at),
    answered_at = coalesce(excluded.answered_at, c.answered_at),
    ended_at = excluded.ended_at, outcome = excluded.outcome, cause = excluded.cause,
    unknown_since = CASE
        WHEN excluded.state <> 'STARTED' THEN coalesce(excluded.unknown_since, c.unknown_since)
    END,
    next_check_at = excluded.next_check_at, look_up_first = NULL
WHERE
    (excluded.state > c.state AND NOT (excluded.state = 'UNKNOWN' AND c.state = 'INTENT'))
    OR (c.state = 'ENDED' AND excluded.state = 'ENDED'
        AND c.outcome = 'unknown' AND excluded.outcome <> 'unknown')

-- name: note_announcements
-- An INTENT that stands announced in the log may have been requested, whatever its dialer recorded.
UPDATE calls SET announced_at = t.at
FROM unnest($1::uuid[], $2::timestamptz[]) AS t (call_id, at)
WHERE calls.call_id = t.call_id AND state = 'INTENT' AND announced_at IS NULL

-- name: open_gates
INSERT INTO gates (batch_id, account_id)
SELECT * FROM unnest($1::uuid[], $2::text[])
ON CONFLICT DO NOTHING

-- name: raise_gates
INSERT INTO gates AS g (batch_id, account_id, closed_through_epoch, for_good)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::int[], $4::bool[]) AS t (batch_id)
ORDER BY t.batch_id
ON CONFLICT (batch_id) DO UPDATE SET
    closed_through_epoch = greatest(g.closed_through_epoch, excluded.closed_through_epoch),
    for_good = g.for_good OR excluded.for_good
WHERE
    excluded.closed_through_epoch > g.closed_through_epoch OR (excluded.for_good AND NOT g.for_good)

-- name: fold_drained
-- What we have said ourselves; after a loss of this database it closes what it says was closed.
INSERT INTO gates AS g (
    batch_id, account_id, closed_through_epoch, for_good, drained_through_epoch, drained_for_good,
    drained_live
)
SELECT t.batch_id, t.account_id, t.through_epoch, t.for_good, t.through_epoch, t.for_good, t.live
FROM unnest($1::uuid[], $2::text[], $3::int[], $4::bool[], $5::int[])
    AS t (batch_id, account_id, through_epoch, for_good, live)
ORDER BY t.batch_id
ON CONFLICT (batch_id) DO UPDATE SET
    closed_through_epoch = greatest(g.closed_through_epoch, excluded.closed_through_epoch),
    for_good = g.for_good OR excluded.for_good,
    drained_through_epoch = greatest(g.drained_through_epoch, excluded.drained_through_epoch),
    drained_for_good = g.drained_for_good OR excluded.drained_for_good,
    drained_live = CASE
        WHEN NOT excluded.drained_for_good THEN g.drained_live
        WHEN g.drained_for_good THEN least(g.drained_live, excluded.drained_live)
        ELSE excluded.drained_live
    END
WHERE
    excluded.drained_through_epoch > g.drained_through_epoch
    OR (
        excluded.drained_for_good
        AND (NOT g.drained_for_good OR excluded.drained_live < g.drained_live)
    )

-- name: fold_suppressions
INSERT INTO suppressions AS s (account_id, digest, version, active, expires_at)
SELECT * FROM unnest($1::text[], $2::text[], $3::int[], $4::bool[], $5::timestamptz[])
    AS t (account_id, digest)
ORDER BY t.account_id, t.digest
ON CONFLICT (account_id, digest) DO UPDATE SET
    version = excluded.version, active = excluded.active, expires_at = excluded.expires_at
WHERE s.version < excluded.version

-- name: has_suppressed
SELECT EXISTS (SELECT FROM suppressions WHERE account_id = $1)

-- name: claim_grants
-- The oldest grants nobody else has in hand.
SELECT c.*
FROM calls AS c
WHERE
    c.state = 'GRANTED' AND c.look_up_first IS NULL
    AND EXISTS (SELECT FROM gates AS g WHERE g.batch_id = c.batch_id)
    AND NOT EXISTS (SELECT FROM quarantined_batches AS q WHERE q.batch_id = c.batch_id)
ORDER BY c.granted_at
LIMIT $1
FOR UPDATE OF c SKIP LOCKED

-- name: paused_for
SELECT extract(EPOCH FROM paused_until - clock_timestamp())::float8 FROM carriers
WHERE carrier = $1 AND paused_until > clock_timestamp()

-- name: pause_carrier
INSERT INTO carriers AS c (carrier, paused_until) VALUES ($1, clock_timestamp() + $2::interval)
ON CONFLICT (carrier) DO UPDATE SET paused_until = greatest(c.paused_until, excluded.paused_until)

-- name: know_carrier
INSERT INTO carriers (carrier) VALUES ($1) ON CONFLICT DO NOTHING

-- name: take_permits
-- At most $2 of what the rate ($3 a second, $4 at once) has let up since it was last counted.
WITH counted AS (
    SELECT carrier, least(
        $4::float8,
        permits + $3::float8 * greatest(0, extract(EPOCH FROM clock_timestamp() - counted_at))
    ) AS available
    FROM carriers WHERE carrier = $1
    FOR UPDATE
)
UPDATE carriers AS c
SET permits = available - least($2::int, floor(available)), counted_at = clock_timestamp()
FROM counted WHERE c.carrier = counted.carrier
RETURNING least($2::int, floor(available))::int

-- name: intend
-- The gate is locked and read by the statement that decides: a closing that has committed is seen,
-- one that has not waits until these intents can be seen by its look for what is on its way.
WITH asked AS (
    SELECT * FROM unnest($1::uuid[], $2::text[]) WITH ORDINALITY AS a (call_id, digest, place)
), gate AS MATERIALIZED (
    SELECT batch_id, closed_through_epoch, for_good FROM gates
    WHERE batch_id = ANY ($3::uuid[])
    ORDER BY batch_id
    FOR SHARE
), judged AS (
    SELECT
        c.call_id, c.account_id, c.place_before, a.digest, a.place,
        CASE
            WHEN g.for_good OR c.epoch <= g.closed_through_epoch THEN 'gate_closed'
            WHEN c.place_before <= clock_timestamp() THEN 'deadline_passed'
            WHEN a.digest IS NULL THEN 'unreadable'
            WHEN EXISTS (
                SELECT FROM suppressions AS s
                WHERE
                    s.account_id = c.account_id AND s.digest = a.digest AND s.active
                    AND (s.expires_at IS NULL OR s.expires_at > clock_timestamp())
            ) THEN 'suppressed'
            WHEN EXISTS (
                SELECT FROM calls AS other
                WHERE
                    other.account_id = c.account_id AND other.number_digest = a.digest
                    AND other.state IN ('INTENT', 'UNKNOWN', 'STARTED')
            ) THEN 'number_busy'
            ELSE 'intended'
        END AS verdict
    FROM asked AS a
    JOIN calls AS c USING (call_id)
    JOIN gate AS g USING (batch_id)
    WHERE c.state = 'GRANTED'
), alone AS (
    SELECT *, CASE
        WHEN verdict = 'intended'
            AND row_number() OVER (PARTITION BY account_id, digest, verdict ORDER BY place) > 1
            THEN 'number_busy'
        ELSE verdict
    END AS finding
    FROM judged
), permitted AS (
    SELECT *, CASE
        WHEN finding = 'intended'
            AND count(*) FILTER (WHERE finding = 'intended') OVER (ORDER BY place) > $4::int
            THEN 'held'
        ELSE finding
    END AS said
    FROM alone
), intended AS (
    UPDATE calls AS c SET
        state = 'INTENT', number_digest = p.digest, carrier = $5, requested_at = clock_timestamp(),
        send_before = least(p.place_before, clock_timestamp() + $6::interval),
        next_check_at = clock_timestamp() + $6::interval + $7::interval
    FROM permitted AS p
    WHERE c.call_id = p.call_id AND p.said = 'intended'
    RETURNING
        c.call_id, c.requested_at, c.send_before,
        extract(EPOCH FROM c.send_before - clock_timestamp())::float8 AS remaining
)
SELECT
    p.call_id, p.said AS verdict, i.requested_at, i.send_before, i.remaining,
    clock_timestamp() AS now
FROM permitted AS p LEFT JOIN intended AS i USING (call_id)
ORDER BY p.place

-- name: announce
-- Whose request may leave: only what is still INTENT, now that the log has announced it.
UPDATE calls SET announced_at = coalesce(announced_at, clock_timestamp())
WHERE call_id = ANY ($1::uuid[]) AND state = 'INTENT'
RETURNING call_id

-- name: calls_to_settle
SELECT c.*, coalesce(g.for_good, false) AS deleted, clock_timestamp() AS now
FROM calls AS c LEFT JOIN gates AS g USING (batch_id)
WHERE c.call_id = ANY ($1::uuid[])
ORDER BY c.call_id
FOR UPDATE OF c

-- name: save_calls
UPDATE calls AS c SET
    state = s.state, carrier = s.carrier, carrier_call_id = s.carrier_call_id,
    started_at = s.started_at, answered_at = s.answered_at, answered_by = s.answered_by,
    ended_at = s.ended_at, outcome = s.outcome, cause = s.cause,
    unknown_since = s.unknown_since, next_check_at = s.next_check_at, recorded = s.recorded
FROM unnest(
    $1::uuid[], $2::call_state[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[],
    $7::text[], $8::timestamptz[], $9::text[], $10::text[], $11::timestamptz[], $12::timestamptz[],
    $13::bool[]
) AS s (
    call_id, state, carrier, carrier_call_id, started_at, answered_at, answered_by, ended_at,
    outcome, cause, unknown_since, next_check_at, recorded
)
WHERE c.call_id = s.call_id

-- name: claim_checks
-- Due for a look; another dialer takes over if this one does not come back in time.
UPDATE calls AS c SET next_check_at = clock_timestamp() + $2::interval
FROM (
    SELECT call_id FROM calls
    WHERE next_check_at <= clock_timestamp()
    ORDER BY next_check_at
    LIMIT $1
    FOR UPDATE SKIP LOCKED
) AS due
WHERE c.call_id = due.call_id
RETURNING c.*, clock_timestamp() AS now

-- name: next_check_in
SELECT extract(EPOCH FROM min(next_check_at) - clock_timestamp())::float8 FROM calls
WHERE next_check_at IS NOT NULL

-- name: cannot_be_placed
-- Once true it stays so: a gate is never opened again for an epoch.
SELECT
    coalesce(c.place_before <= clock_timestamp(), false)
    OR coalesce(g.for_good OR c.epoch <= g.closed_through_epoch, false)
FROM calls AS c LEFT JOIN gates AS g USING (batch_id)
WHERE c.call_id = $1

-- name: let_it_be_placed
-- Its earlier calls are settled.
UPDATE calls SET look_up_first = NULL, next_check_at = NULL WHERE call_id = $1 AND state = 'GRANTED'

-- name: live_without_digest
-- Live calls known only from the log: their numbers are not guarded yet.
SELECT call_id, account_id, batch_id, sealed FROM calls
WHERE
    state IN ('INTENT', 'UNKNOWN', 'STARTED') AND number_digest IS NULL AND sealed IS NOT NULL
    AND call_id > $1::uuid
ORDER BY call_id
LIMIT 1000

-- name: guard_numbers
UPDATE calls AS c SET number_digest = t.digest
FROM (
    SELECT DISTINCT ON (account_id, digest) call_id, account_id, digest
    FROM unnest($1::uuid[], $2::text[], $3::text[]) AS u (call_id, account_id, digest)
) AS t
WHERE
    c.call_id = t.call_id AND c.state IN ('INTENT', 'UNKNOWN', 'STARTED')
    AND NOT EXISTS (
        SELECT FROM calls AS other
        WHERE
            other.account_id = t.account_id AND other.number_digest = t.digest
            AND other.state IN ('INTENT', 'UNKNOWN', 'STARTED')
    )

-- name: lock_undrained
-- Locked in a statement of its own: the one that looks for calls must see what committed meanwhile.
-- lingering: closed for good while calls were live, which are over some day.
SELECT batch_id, drained_for_good AND drained_live > 0 AS lingering FROM gates
WHERE
    closed_through_epoch > drained_through_epoch OR (for_good AND NOT drained_for_good)
    OR (drained_for_good AND drained_live > 0)
ORDER BY lingering, batch_id
LIMIT 1000
FOR UPDATE SKIP LOCKED

-- name: drain
-- Closed, and nothing of it can still be on its way.
WITH deleted AS (
    SELECT u.batch_id, (
        SELECT count(*) FROM calls AS c WHERE c.batch_id = u.batch_id AND c.state = 'STARTED'
    )::integer AS live
    FROM gates AS u WHERE u.batch_id = ANY ($1::uuid[]) AND u.for_good
)
UPDATE gates AS g
SET
    drained_through_epoch = closed_through_epoch, drained_for_good = for_good,
    drained_live = coalesce((SELECT d.live FROM deleted AS d WHERE d.batch_id = g.batch_id), 0)
WHERE
    g.batch_id = ANY ($1::uuid[])
    AND (
        NOT g.drained_for_good
        OR NOT EXISTS (SELECT FROM deleted AS d WHERE d.batch_id = g.batch_id AND d.live > 0)
    )
    AND NOT EXISTS (
        SELECT FROM calls AS c
        WHERE
            c.batch_id = g.batch_id AND c.state IN ('INTENT', 'UNKNOWN')
            AND (c.epoch <= g.closed_through_epoch OR g.for_good)
    )
RETURNING
    batch_id, account_id, closed_through_epoch, for_good, drained_live, clock_timestamp() AS now

-- name: batches_stand
-- How far each timeline has come; of a deleted batch, that it is.
SELECT a.batch_id, coalesce(t.last, 0) AS last, coalesce(c.deleted, false) AS deleted, c.account_id
FROM unnest($1::uuid[]) AS a (batch_id)
LEFT JOIN timelines AS t USING (batch_id)
LEFT JOIN changes AS c USING (batch_id)

-- name: entries_since
SELECT e.*, coalesce(e.actor, c.actor) AS asked_by
FROM unnest($1::uuid[], $2::bigint[]) AS a (batch_id, seen)
CROSS JOIN LATERAL (
    SELECT * FROM timeline AS t
    WHERE t.batch_id = a.batch_id AND t.position > a.seen
    ORDER BY t.position
    LIMIT $3
) AS e
LEFT JOIN commands AS c ON c.command_id = (e.data ->> 'command_id')::uuid
ORDER BY e.batch_id, e.position

-- name: list_stands
SELECT last FROM account_changes WHERE account_id = $1

-- name: changes_since
SELECT batch_id, change, deleted FROM changes
WHERE account_id = $1 AND change > $2
ORDER BY change
LIMIT $3

-- name: rebuild_alone
SELECT pg_advisory_xact_lock(7301)

-- name: has_outbox
SELECT EXISTS (SELECT FROM outbox)

-- name: begin_beside
DROP SCHEMA IF EXISTS rebuilt CASCADE;
CREATE SCHEMA rebuilt;
SET LOCAL search_path TO rebuilt, public

-- name: offsets
SELECT topic, partition, next_offset FROM inbox_offsets

-- name: held_back
SELECT topic, partition, "offset" FROM quarantined_records

-- name: tables
SELECT tablename FROM pg_tables WHERE schemaname = 'rebuilt' ORDER BY tablename

-- name: comparison
-- The text of the query that compares one table with the live one.
SELECT format(
    $query$
    WITH missing AS (SELECT %1$s FROM rebuilt.%2$I EXCEPT ALL SELECT %1$s FROM public.%2$I),
         surplus AS (SELECT %1$s FROM public.%2$I EXCEPT ALL SELECT %1$s FROM rebuilt.%2$I)
    SELECT (SELECT count(*) FROM rebuilt.%2$I) AS rows,
           (SELECT count(*) FROM missing) AS missing,
           (SELECT count(*) FROM surplus) AS surplus,
           ARRAY(SELECT jsonb_build_array(%3$s)::text
                 FROM (TABLE missing UNION TABLE surplus) AS differing LIMIT 5) AS keys
    $query$,
    string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum),
    c.relname,
    string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
        FILTER (WHERE a.attnum = ANY (k.conkey))
)
FROM pg_class AS c
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_constraint AS k ON k.conrelid = c.oid AND k.contype = 'p'
WHERE c.relnamespace = 'rebuilt'::regnamespace AND c.relname = $1
  AND a.attname <> ALL ($2::text[])
GROUP BY c.relname

-- name: swap
-- The text of the statements that put the rebuilt tables in the place of the live ones.
SELECT format('LOCK TABLE %1$s IN ACCESS EXCLUSIVE MODE; DROP TABLE %1$s; ',
              string_agg(format('public.%I', tablename), ', '))
    || string_agg(format('ALTER TABLE rebuilt.%I SET SCHEMA public; ', tablename), '')
FROM pg_tables WHERE schemaname = 'rebuilt'

-- name: end_beside
DROP SCHEMA rebuilt;
SET LOCAL search_path TO public

-- name: shared_tables
SELECT tablename FROM pg_tables WHERE schemaname = $1
INTERSECT
SELECT tablename FROM pg_tables WHERE schemaname = $2
ORDER BY tablename

-- name: unshared_tables
SELECT tablename FROM pg_tables WHERE schemaname = $1
EXCEPT
SELECT tablename FROM pg_tables WHERE schemaname = $2
ORDER BY tablename

-- name: comparison
-- The text of the query that compares one table ($3) of a schema ($1) with that of another ($2): by
-- the primary key, in all columns that both have but for those named ($4).
SELECT format(
    $query$
    SELECT count(*) FILTER (WHERE a_there) AS rows,
           count(*) FILTER (WHERE differs AND a_there) AS missing,
           count(*) FILTER (WHERE differs AND b_there) AS surplus,
           coalesce(
               (array_agg(keys) FILTER (WHERE differs AND nth <= 5))[1:5], '{}'::text[]
           ) AS keys
    FROM (
        SELECT a_there, b_there, differs, keys,
               CASE WHEN differs THEN row_number() OVER (PARTITION BY differs) END AS nth
        FROM (
            SELECT a.there IS NOT NULL AS a_there, b.there IS NOT NULL AS b_there,
                   ROW(a.there, %6$s) IS DISTINCT FROM ROW(b.there, %7$s) AS differs,
                   jsonb_build_array(%5$s)::text AS keys
            FROM (SELECT true AS there, * FROM %1$I.%3$I) AS a
            FULL JOIN (SELECT true AS there, * FROM %2$I.%3$I) AS b USING (%5$s)
        ) AS pairs
    ) AS numbered
    $query$,
    $1, $2, $3, NULL,
    string_agg(quote_ident(c.name), ', ' ORDER BY c.attnum) FILTER (WHERE c.is_key),
    string_agg(format('a.%I', c.name), ', ' ORDER BY c.attnum),
    string_agg(format('b.%I', c.name), ', ' ORDER BY c.attnum)
)
FROM (
    SELECT a.attname AS name, a.attnum, a.attnum = ANY (k.conkey) AS is_key
    FROM pg_attribute AS a
    JOIN pg_constraint AS k ON k.conrelid = a.attrelid AND k.contype = 'p'
    JOIN pg_attribute AS b
        ON b.attrelid = format('%I.%I', $2::text, $3::text)::regclass AND b.attname = a.attname
        AND b.attnum > 0 AND NOT b.attisdropped
    WHERE a.attrelid = format('%I.%I', $1::text, $3::text)::regclass
        AND a.attnum > 0 AND NOT a.attisdropped AND a.attname <> ALL ($4::text[])
) AS c

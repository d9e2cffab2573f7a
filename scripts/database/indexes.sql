-- Every btree whose order depends on a collation, the smallest first.
SELECT i.indexrelid, format('%I.%I', n.nspname, c.relname)
FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_am a ON a.oid = c.relam
WHERE a.amname = 'btree' AND c.relpersistence = 'p' AND i.indisvalid
  AND EXISTS (
    SELECT FROM unnest(i.indcollation::oid[]) AS k(oid) JOIN pg_collation co ON co.oid = k.oid
    WHERE co.collname NOT IN ('C', 'POSIX')
  )
  AND n.nspname NOT LIKE 'pg\_%'
ORDER BY c.relpages;

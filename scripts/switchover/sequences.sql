-- Sequences whose next value would collide with what their column holds already. Only integer columns that own one.
SELECT format('%s: at %s, while %s.%s holds %s', s.seqname, s.last_value, s.tabname, s.attname, s.highest) FROM (
  SELECT seq.oid::regclass AS seqname, tab.oid::regclass AS tabname, a.attname,
    pg_sequence_last_value(seq.oid) AS last_value,
    (xpath('//m/text()', query_to_xml(format('SELECT max(%I) AS m FROM %s', a.attname, tab.oid::regclass), false, true, '')))[1]::text::numeric AS highest
  FROM pg_class seq
  JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = seq.oid AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
  JOIN pg_class tab ON tab.oid = d.refobjid
  JOIN pg_attribute a ON a.attrelid = tab.oid AND a.attnum = d.refobjsubid
  JOIN pg_index i ON i.indrelid = tab.oid AND i.indisprimary AND i.indkey[0] = a.attnum
  WHERE seq.relkind = 'S' AND tab.relkind IN ('r', 'p')
    -- Mastodon's own ids are made of time and sequence, and far above it.
    AND pg_get_expr((SELECT adbin FROM pg_attrdef WHERE adrelid = tab.oid AND adnum = a.attnum), tab.oid) LIKE 'nextval(%'
) AS s
WHERE s.highest > coalesce(s.last_value, 0);

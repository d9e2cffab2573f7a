import { lines, type Site } from "./site";

/** How many rows a table has, and a sum over a hash of every one of them: equal only when the rows are. */
export interface TableSum {
  rows: number;
  hash: string;
}

/** Sums of all tables and materialised views, or of those named. */
export async function sumTables(site: Site, only?: string[]): Promise<Map<string, TableSum>> {
  const names = only ?? (await tableNames(site));
  if (names.length === 0) return new Map();
  // One statement a table: a long snapshot would be cancelled on a standby that must not fall behind.
  const script = names.map(
    (name) =>
      `SELECT ${literal(name)}, count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) FROM ${name} t;`,
  );
  const out = await site.sql("SET enable_indexscan = off;\n" + script.join("\n"));
  return new Map(
    lines(out).map((line) => {
      const [name = "", rows = "", hash = ""] = line.split("|");
      return [name, { rows: Number(rows), hash }];
    }),
  );
}

/** All tables outside the system's schemas, quoted as SQL wants them. */
async function tableNames(site: Site): Promise<string[]> {
  const out = await site.sql(
    `SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'm') AND c.relpersistence = 'p' AND c.relispopulated
        AND n.nspname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1;`,
  );
  return lines(out);
}

/** Names of tables that are on one side only, or whose rows differ. */
export function differing(a: Map<string, TableSum>, b: Map<string, TableSum>): string[] {
  const names = [...new Set([...a.keys(), ...b.keys()])].sort();
  return names.filter((n) => a.get(n)?.rows !== b.get(n)?.rows || a.get(n)?.hash !== b.get(n)?.hash);
}

export interface Sequence {
  name: string;
  last: string;
  /** Largest value in the column that it numbers; absent when it numbers none by itself. */
  largest?: string;
}

interface SequenceRow {
  name: string;
  table: string | null;
  column: string | null;
  last: string | null;
}

/** The columns first and the sequences after them: what is written in between puts no sequence behind. */
export async function readSequences(site: Site): Promise<Sequence[]> {
  const largest = await largestOf(site, await sequenceRows(site));
  const rows = await sequenceRows(site);
  return rows.map((r) => ({ name: r.name, last: r.last ?? "0", largest: largest.get(r.name) || undefined }));
}

function sequenceRows(site: Site): Promise<SequenceRow[]> {
  return site.rows<SequenceRow>(
    `SELECT format('%I.%I', s.schemaname, s.sequencename) AS name, s.last_value::text AS last,
            d.refobjid::regclass::text AS table, a.attname AS column
       FROM pg_sequences s
       LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
        AND d.objid = format('%I.%I', s.schemaname, s.sequencename)::regclass
       LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid`,
  );
}

/** The largest value in the column of each sequence that numbers one. */
async function largestOf(site: Site, rows: SequenceRow[]): Promise<Map<string, string>> {
  // A snowflake column's own default is a function: its sequence gives the last bits only.
  const queries = rows
    .filter((r) => r.table && r.column)
    .map(
      (r) => `SELECT ${literal(r.name)}, max(${quoted(r.column ?? "")}) FROM ${r.table}
      WHERE NOT EXISTS (SELECT 1 FROM pg_attrdef WHERE adrelid = ${literal(r.table ?? "")}::regclass
        AND pg_get_expr(adbin, adrelid) LIKE '%timestamp_id(%');`,
    );
  const found = lines(await site.sql(queries.join("\n")));
  return new Map(found.map((l) => l.split("|") as [string, string]));
}

/** Sequences that would hand out a number again: behind their column, or behind where they were at the fence. */
export function behind(now: Sequence[], fence: Sequence[] = []): string[] {
  const before = new Map(fence.map((s) => [s.name, s.last]));
  const found = now.filter(
    (s) => BigInt(s.last) < BigInt(s.largest ?? "0") || BigInt(s.last) < BigInt(before.get(s.name) ?? "0"),
  );
  const gone = fence.filter((s) => !now.some((n) => n.name === s.name));
  return [...found, ...gone].map((s) => s.name);
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

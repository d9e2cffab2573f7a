import { type Kind, kinds, type Ledger } from "../report/model";
import { Account, type Excuse } from "./account";
import { checkInbound, checkOutbound } from "./deliveries";
import { checkFeeds } from "./feeds";
import { checkJobs, type PendingJob } from "./jobs";
import { readRecords, type Records } from "./records";
import { caughtUp, settle } from "./settle";
import { type Host, type Place, Site } from "./site";
import type { Snapshot } from "./snapshot";
import { behind, differing, readSequences, sumTables } from "./tables";
import { checkFollows, checkMedia, checkStatuses } from "./writes";

export type { Excuse } from "./account";
export { forgotten } from "./memory";
export { unwatchJobs, watchJobs } from "./jobs";
export { writablePrimaries, type Primaries } from "./primaries";
export type { Records } from "./records";
export { type BucketPlace } from "./bucket";
export { bucketFiles, mediaBooks, type MediaOptions, missingOnDisk } from "./media";
export { type Host, type Place, Site } from "./site";
export { type Snapshot, takeSnapshot } from "./snapshot";

export interface LedgerOptions {
  /** The server that now holds the data. */
  truthHost: Host;
  /** The server that held them before, which follows now. @default the lab's other host */
  otherHost?: Host;
  /** What the other server held at the fence, where it can't be asked any more. @default - it is asked now */
  fence?: Snapshot;
  records: Records;
  place?: Place;
  /** Place on the other server. @default place */
  otherPlace?: Place;
  /** Kinds of which there must be some; a ledger that compares nothing proves nothing. @default all */
  expect?: Kind[];
  /** Power cuts, and what was in memory alone before each: see `forgotten`. @default - none */
  excuses?: Excuse[];
  /** Every file that the app has now, where they are no longer on its disk. @default - those on its disk */
  files?: Map<string, { sha256: string; bytes: number }>;
  /** There is one server, or the other one holds nothing yet to compare it with. @default false */
  alone?: boolean;
  /** How long Sidekiq and the standby may take to finish. @default 60 000 */
  settleMs?: number;
}

/**
 * Draws up the books: everything that was acknowledged to anyone is looked for on the server that holds the data now,
 * and everything that the other one held at the fence is compared. People and remote servers have to be quiet.
 */
export async function ledger(lab: { hosts(): Host[] }, o: LedgerOptions): Promise<Ledger> {
  const truth = new Site(o.truthHost, o.place);
  const otherHost = o.otherHost ?? lab.hosts().find((h) => !o.alone && h.name !== o.truthHost.name);
  const other = otherHost && new Site(otherHost, o.otherPlace ?? o.place);
  const account = new Account(o.excuses);
  const taken = (o.fence?.jobs ?? []).flatMap((j) => (j.jid === "" ? [] : [j.jid]));
  const { queuesEmpty, fate } = await settle(truth, other ? [other] : [], taken, o.settleMs ?? 60_000);
  if (!queuesEmpty) account.wrong("not settled", `${truth.name}: Sidekiq does not get its queues empty`);
  checkJobs(fate, account);
  const files = o.files ?? (await truth.mediaFiles());
  await checkWrites(truth, o, files, fate.pending, account);
  const whole = {
    tables: await compareTables(truth, other, o, account),
    mediaFiles: await compareFiles(files, other, o.fence, account),
    sequences: await compareSequences(truth, o.fence, account),
  };
  refuseEmpty(account, o.alone ? undefined : whole, o.expect ?? [...kinds]);
  const findings = account.findings();
  const { acknowledged, lost, duplicated } = account;
  const excused = [...account.excused].map(([why, n]) => `${n} ${why}`);
  return { ok: findings.length === 0, acknowledged, lost, duplicated, excused, ...whole, findings };
}

async function checkWrites(
  truth: Site,
  o: LedgerOptions,
  files: Map<string, { sha256: string }>,
  pending: PendingJob[],
  account: Account,
): Promise<void> {
  const all = readRecords(o.records);
  await checkStatuses(truth, all, account);
  await checkMedia(truth, all, files, account);
  await checkFollows(truth, all, account);
  await checkFeeds(truth, all, pending, account);
  await checkInbound(truth, all, pending, account);
  await checkOutbound(truth, all, pending, account);
}

async function compareTables(
  truth: Site,
  other: Site | undefined,
  o: LedgerOptions,
  account: Account,
): Promise<Ledger["tables"]> {
  const now = await sumTables(truth);
  const rows = [...now.values()].reduce((sum, t) => sum + t.rows, 0);
  if (o.fence) {
    const different = differing(o.fence.tables, now);
    for (const name of different)
      account.wrong("table differs", `${name} is not what it was on ${o.fence.of}`);
    return { compared: o.fence.tables.size, rows, different };
  }
  if (!other) return { compared: 0, rows, different: [] };
  const deadline = o.settleMs ?? 60_000;
  const follows = await caughtUp(truth, other, deadline);
  if (!follows) account.wrong("standby behind", `${other.name} has not replayed what ${truth.name} wrote`);
  let there = await sumTables(other);
  let different = differing(now, there);
  // A row may have been written between the two looks (a scheduler's, say); what really differs goes on differing.
  for (let look = 0; look < 5 && follows && different.length > 0; look++) {
    const again = await sumTables(
      truth,
      different.filter((n) => now.has(n)),
    );
    await caughtUp(truth, other, deadline);
    there = await sumTables(
      other,
      different.filter((n) => there.has(n)),
    );
    different = different.filter((n) => differing(pick(again, n), pick(there, n)).length > 0);
  }
  for (const name of different) account.wrong("table differs", `${name} on ${truth.name} and ${other.name}`);
  return { compared: now.size, rows, different };
}

function pick<T>(from: Map<string, T>, name: string): Map<string, T> {
  const value = from.get(name);
  return new Map(value === undefined ? [] : [[name, value]]);
}

/** Every file that the other server has is here, with the same bytes. */
async function compareFiles(
  here: Map<string, { sha256: string; bytes: number }>,
  other: Site | undefined,
  fence: Snapshot | undefined,
  account: Account,
): Promise<Ledger["mediaFiles"]> {
  const there = fence?.files ?? (await other?.mediaFiles()) ?? new Map();
  const sum = { compared: there.size, bytes: 0, missing: 0, different: 0 };
  for (const [key, file] of there) {
    const same = here.get(key);
    sum.bytes += file.bytes;
    if (!same) {
      sum.missing++;
      account.wrong("file missing", key);
    } else if (same.sha256 !== file.sha256) {
      sum.different++;
      account.wrong("file differs", key);
    }
  }
  return sum;
}

async function compareSequences(
  truth: Site,
  fence: Snapshot | undefined,
  account: Account,
): Promise<Ledger["sequences"]> {
  const now = await readSequences(truth);
  const late = behind(now, fence?.sequences);
  for (const name of late) account.wrong("sequence behind", name);
  return { compared: now.length, behind: late };
}

function refuseEmpty(
  account: Account,
  whole: Pick<Ledger, "tables" | "mediaFiles" | "sequences"> | undefined,
  expect: Kind[],
): void {
  for (const kind of expect)
    if (account.acknowledged[kind] === 0) account.wrong("nothing to compare", `no ${kind} were acknowledged`);
  if (!whole) return;
  if (whole.tables.compared === 0) account.wrong("nothing to compare", "no tables");
  if (whole.mediaFiles.compared === 0) account.wrong("nothing to compare", "no media files");
  if (whole.sequences.compared === 0) account.wrong("nothing to compare", "no sequences");
}

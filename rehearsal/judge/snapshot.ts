import { type PendingJob, pendingJobs } from "./jobs";
import type { Site } from "./site";
import { readSequences, type Sequence, sumTables, type TableSum } from "./tables";

/** All that a server held at one moment. */
export interface Snapshot {
  of: string;
  tables: Map<string, TableSum>;
  sequences: Sequence[];
  files: Map<string, { sha256: string; bytes: number }>;
  jobs: PendingJob[];
}

/** Takes stock of a server, as at the fence, when nothing writes to it any more. */
export async function takeSnapshot(site: Site): Promise<Snapshot> {
  return {
    of: site.name,
    tables: await sumTables(site),
    sequences: await readSequences(site),
    files: await site.mediaFiles(),
    jobs: await pendingJobs(site),
  };
}

/** What the load's clients are told, and the record they keep. */

/** Where clients connect. */
export interface Door {
  host: string;
  port: number;
  user: string;
  password: string;
  database: string;
}

export interface LoadSettings extends Door {
  /** Tells this load's rows from all others. */
  run: number;
  clients: number;
  /** Writes a second, of all clients together. */
  rate: number;
  /** Folder for the signs below. */
  dir: string;
}

/** Files in the load's folder: how far it is, that it shall stop, and what it has to tell. */
export const signs = { progress: "progress.json", stop: "stop", record: "record.json" } as const;

export interface Progress {
  /** Requests acknowledged so far. */
  acked: number;
  /** When the last one was, in milliseconds since 1970. */
  at: number;
}

/** One request that was acknowledged: rows `from` to `to` of a client, at a time. */
export interface Append {
  at: number;
  client: number;
  from: number;
  to: number;
}

export interface LoadRecord {
  run: number;
  appends: Append[];
  /** Values of the shared counter, as each was acknowledged to somebody. */
  counts: { at: number; value: number }[];
  /** Requests that met an error before they were acknowledged, each once, with the first error. */
  failed: { at: number; client: number; error: string }[];
  /** Each client repeats a failed request until it is acknowledged, as a job queue does: the longest that took. */
  longestWaitMs: number;
}

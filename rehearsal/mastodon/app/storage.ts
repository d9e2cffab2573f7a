/** Where files are kept; keys are those of `paths.ts`. */
export interface Storage {
  /** `confidential`: an archive, in a bucket for nobody but its owner; on disk it is like the others. @default false */
  put(key: string, bytes: Buffer, confidential?: boolean): Promise<void>;
  get(key: string): Promise<Buffer>;
  /** False when it was not there, where the storage says so. */
  remove(key: string): Promise<boolean>;
  /** Hides a file of somebody who was suspended, or shows it again; without effect where it does not exist. */
  hide(key: string, hidden: boolean): Promise<void>;
  /** All keys, in no order on disk and in a bucket's own order there. */
  keys(o?: { prefix?: string; startAfter?: string }): AsyncGenerator<string>;
}

/** The storage answered nothing at all: what a client is told to try again for (503), and Sidekiq tries again by itself. */
export class StorageAway extends Error {}

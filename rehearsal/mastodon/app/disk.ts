import { chmod, mkdir, opendir, readFile, rename, rm, rmdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { randomBytes } from "node:crypto";
import type { Storage } from "./storage";

/** Files below PAPERCLIP_ROOT_PATH. */
export class Disk implements Storage {
  constructor(private readonly root: string) {}

  /** As Paperclip does: made elsewhere, moved into place, then its mode set; a file system that refuses the mode refuses the upload. */
  async put(key: string, bytes: Buffer): Promise<void> {
    const target = path.join(this.root, key);
    await mkdir(path.dirname(target), { recursive: true });
    const half = `${path.dirname(target)}/.${randomBytes(6).toString("hex")}`;
    await writeFile(half, bytes);
    await rename(half, target);
    await chmod(target, mode(false));
  }

  get(key: string): Promise<Buffer> {
    return readFile(path.join(this.root, key));
  }

  /** Removes a file and the folders above it that are left empty. */
  async remove(key: string): Promise<boolean> {
    const target = path.join(this.root, key);
    const gone = await existing(rm(target));
    try {
      for (let dir = path.dirname(target); dir.startsWith(this.root + path.sep); dir = path.dirname(dir))
        await rmdir(dir);
    } catch {
      // a folder with something in it stays
    }
    return gone;
  }

  async hide(key: string, hidden: boolean): Promise<void> {
    await existing(chmod(path.join(this.root, key), mode(hidden)));
  }

  async *keys(o: { prefix?: string; startAfter?: string } = {}): AsyncGenerator<string> {
    for await (const key of walk(this.root, ""))
      if (key.startsWith(o.prefix ?? "") && key > (o.startAfter ?? "")) yield key;
  }
}

const mode = (hidden: boolean) => (hidden ? 0o600 : 0o666) & ~process.umask();

/** Whether the file that something was done to was there. */
const existing = (done: Promise<void>): Promise<boolean> =>
  done.then(
    () => true,
    (e: NodeJS.ErrnoException) => {
      if (e.code === "ENOENT") return false;
      throw e;
    },
  );

async function* walk(root: string, below: string): AsyncGenerator<string> {
  for await (const entry of await opendir(path.join(root, below))) {
    const key = path.join(below, entry.name);
    if (entry.isDirectory()) yield* walk(root, key);
    else yield key;
  }
}

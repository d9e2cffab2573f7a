import { chmod, mkdir, rename, rm, rmdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { randomBytes } from "node:crypto";

/**
 * Writes a file the way Paperclip does: made elsewhere, moved into place, then its mode set; a file system that refuses
 * the mode refuses the upload. Files of suspended accounts are 0600.
 */
export async function store(root: string, key: string, bytes: Buffer, suspended = false): Promise<void> {
  const target = path.join(root, key);
  await mkdir(path.dirname(target), { recursive: true });
  const half = `${path.dirname(target)}/.${randomBytes(6).toString("hex")}`;
  await writeFile(half, bytes);
  await rename(half, target);
  await chmod(target, (suspended ? 0o600 : 0o666) & ~process.umask());
}

/** Removes a file and the folders above it that are left empty; false when it was not there. */
export async function discard(root: string, key: string): Promise<boolean> {
  const target = path.join(root, key);
  const gone = await rm(target).then(
    () => true,
    (e: NodeJS.ErrnoException) => {
      if (e.code === "ENOENT") return false;
      throw e;
    },
  );
  try {
    for (let dir = path.dirname(target); dir.startsWith(root + path.sep); dir = path.dirname(dir))
      await rmdir(dir);
  } catch {
    // a folder with something in it stays
  }
  return gone;
}

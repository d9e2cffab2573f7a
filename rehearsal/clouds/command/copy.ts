/** command:remote:CopyToRemote: files by SFTP. It compares the local hash only; the host's copy is never looked at. */
import { randomBytes } from "node:crypto";
import fs from "node:fs/promises";
import path from "node:path";
import type { SFTPWrapper, Stats } from "ssh2";
import type { Context, Failure, Resource } from "../resource";
import { ARCHIVE, ASSET, markOf, type Json, type Props } from "../values";
import { checkConnection } from "./check";
import { dial, endpointOf } from "./connection";

const NO_SUCH_FILE = 2;

/** The few SFTP calls that a copy needs. */
class Remote {
  constructor(private readonly sftp: SFTPWrapper) {}

  stat(at: string): Promise<Stats | undefined> {
    return new Promise((resolve, reject) => {
      this.sftp.stat(at, (e, stats) => {
        if (!e) return resolve(stats);
        if ((e as Error & { code?: number }).code === NO_SUCH_FILE) return resolve(undefined);
        reject(new Error(`failed to stat remote path ${at}: ${e.message}`));
      });
    });
  }

  async makeDirectory(at: string): Promise<void> {
    const found = await this.stat(at);
    if (found?.isDirectory()) return;
    if (found) throw new Error(`remote path ${at} exists but is not a directory`);
    if (path.posix.dirname(at) !== at) await this.makeDirectory(path.posix.dirname(at));
    await new Promise<void>((resolve, reject) => {
      this.sftp.mkdir(at, (e) =>
        e ? reject(new Error(`failed to create remote directory ${at}: ${e.message}`)) : resolve(),
      );
    });
  }

  async write(at: string, content: Buffer | string): Promise<void> {
    await this.makeDirectory(path.posix.dirname(at));
    await new Promise<void>((resolve, reject) => {
      this.sftp.writeFile(at, content, (e) =>
        e ? reject(new Error(`failed to create remote file ${at}: ${e.message}`)) : resolve(),
      );
    });
  }
}

async function copyDirectory(remote: Remote, from: string, to: string): Promise<void> {
  await remote.makeDirectory(to);
  for (const entry of await fs.readdir(from, { withFileTypes: true })) {
    const [source, target] = [path.join(from, entry.name), path.posix.join(to, entry.name)];
    if (entry.isDirectory()) await copyDirectory(remote, source, target);
    else await remote.write(target, await fs.readFile(source));
  }
}

/** A folder goes into the destination by its own name, unless its path ends with a slash: then its content does. */
async function copyPath(remote: Remote, from: string, to: string): Promise<void> {
  const found = await remote.stat(to);
  if ((await fs.stat(from)).isDirectory()) {
    if (found && !found.isDirectory()) throw new Error(`remote path ${to} exists but is not a directory`);
    return copyDirectory(remote, from, from.endsWith("/") ? to : path.posix.join(to, path.basename(from)));
  }
  const target = found?.isDirectory() ? path.posix.join(to, path.basename(from)) : to;
  await remote.write(target, await fs.readFile(from));
}

async function copySource(remote: Remote, source: Props, to: string, root: string): Promise<void> {
  if (source["uri"] !== undefined) throw new Error("the stand-in does not fetch remote assets");
  if (typeof source["path"] === "string") return copyPath(remote, resolve(root, source["path"]), to);
  if (typeof source["text"] === "string") {
    if ((await remote.stat(to))?.isDirectory()) {
      throw new Error(
        `remote path ${to} is a directory; when using a text asset, remotePath must be a file path`,
      );
    }
    return remote.write(to, source["text"]);
  }
  const found = await remote.stat(to);
  if (found && !found.isDirectory()) {
    throw new Error(`remote path ${to} exists but is not a directory; cannot copy asset archive contents`);
  }
  await remote.makeDirectory(to);
  for (const [name, part] of Object.entries((source["assets"] ?? {}) as Props)) {
    await copyEntry(remote, part as Props, path.posix.join(to, name), root);
  }
}

/** One entry of an asset archive lies at its own name, a folder's content below it. */
async function copyEntry(remote: Remote, part: Props, to: string, root: string): Promise<void> {
  const isFolder = markOf(part) === ARCHIVE && typeof part["path"] === "string";
  if (isFolder) return copyDirectory(remote, resolve(root, String(part["path"])), to);
  return copySource(remote, part, to, root);
}

function resolve(root: string, file: string): string {
  // path.resolve drops the trailing slash, which says that the content is meant and not the folder.
  return path.resolve(root, file) + (file.endsWith("/") ? "/" : "");
}

async function copy(inputs: Props, c: Context): Promise<void> {
  const client = await dial(endpointOf(inputs["connection"]), c);
  try {
    const sftp = await new Promise<SFTPWrapper>((done, fail) =>
      client.sftp((e, s) => (e ? fail(e) : done(s))),
    );
    await copySource(
      new Remote(sftp),
      inputs["source"] as Props,
      String(inputs["remotePath"]),
      c.session.directory,
    );
  } finally {
    client.end();
  }
}

function checkSource(source: Json | undefined): Failure[] {
  if (source === undefined || markOf(source) === ASSET || markOf(source) === ARCHIVE) return [];
  return [{ property: "asset", reason: "either asset or archive must be set" }];
}

export const copyToRemote: Resource = {
  required: ["connection", "source", "remotePath"],
  optional: ["triggers"],
  replaceOn: ["triggers"],
  secrets: ["connection"],
  check: (inputs) => [...checkConnection(inputs["connection"]), ...checkSource(inputs["source"])],
  async create(inputs, c) {
    await copy(inputs, c);
    return { id: randomBytes(4).toString("hex") };
  },
  async update(_id, inputs, old, c) {
    const hashOf = (props: Props): Json | undefined => (props["source"] as Props | undefined)?.["hash"];
    const isSame =
      hashOf(inputs) === hashOf(old.outputs) && inputs["remotePath"] === old.outputs["remotePath"];
    if (!isSame) await copy(inputs, c);
  },
};

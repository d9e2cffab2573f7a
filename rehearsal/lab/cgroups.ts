import { existsSync, mkdirSync, readdirSync, rmdirSync } from "node:fs";
import path from "node:path";

/** The trees that systemd keeps its own groups in: one on a machine with cgroup 2 only, two on a hybrid one. */
const trees = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup/systemd", "/sys/fs/cgroup"];

/** Our folder in each tree; `rehearsal/enter.sh` removes those of dead labs. */
const ours = () =>
  trees.filter(isTree).map((t) => path.join(t, "trunkline", process.env.TRUNKLINE_LAB ?? "0-0"));

const isTree = (dir: string) => existsSync(path.join(dir, "cgroup.procs"));

/** Makes a control group for a host in every tree and returns the folders. */
export function hostCgroups(host: string): string[] {
  const folders = ours().map((dir) => path.join(dir, host));
  if (!folders.length) throw new Error("lab: no cgroup tree at /sys/fs/cgroup; systemd hosts need one");
  for (const folder of folders) mkdirSync(folder, { recursive: true });
  return folders;
}

/** Removes the groups of all hosts. They must be off. */
export function removeCgroups(): void {
  for (const dir of ours()) if (existsSync(dir)) removeTree(dir);
}

function removeTree(dir: string): void {
  for (const entry of readdirSync(dir, { withFileTypes: true }))
    if (entry.isDirectory()) removeTree(path.join(dir, entry.name));
  rmdirSync(dir);
}

import { randomBytes } from "node:crypto";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { resolver, subnets, type Side } from "./network";
import { run } from "./run";

export interface HostKey {
  private: string;
  public: string;
}

/** What makes a copy of the base system a host of its own. */
export interface Identity {
  name: string;
  address: string;
  side: Side;
  hostKey: HostKey;
  authorizedKeys: string[];
  /** Calls to the kernel that containers may not make, and this one may, as a server may. */
  systemCalls?: string[];
}

/** Folder of the base system that all hosts are overlays on. */
export async function baseImage(): Promise<string> {
  const image = (await run([path.join(__dirname, "image.sh"), "--path"])).stdout.trim();
  if (!existsSync(image)) throw new Error(`lab: no base system at ${image}. Run rehearsal/prepare.sh first.`);
  return image;
}

/**
 * Mounts a writable host tree over the image and returns it. With `diskMiB` what the host writes lies on a disk
 * of that size of its own, so that it really runs full.
 */
export async function mountRootfs(image: string, dir: string, diskMiB?: number): Promise<string> {
  const [disk, root] = [path.join(dir, "disk"), path.join(dir, "root")];
  for (const folder of [disk, root]) mkdirSync(folder, { recursive: true });
  if (diskMiB) await mountDisk(path.join(dir, "disk.img"), disk, diskMiB);
  const [upper, work] = [path.join(disk, "upper"), path.join(disk, "work")];
  for (const folder of [upper, work]) mkdirSync(folder);
  const options = `lowerdir=${image},upperdir=${upper},workdir=${work}`;
  await run(["mount", "-t", "overlay", "overlay", "-o", options, root]);
  return root;
}

export async function unmountRootfs(dir: string): Promise<void> {
  for (const folder of ["root", "disk"])
    await run(["umount", "--quiet", path.join(dir, folder)], { allowFail: true });
}

async function mountDisk(file: string, at: string, mib: number): Promise<void> {
  await run(["truncate", "-s", `${mib}M`, file]);
  await run(["mkfs.ext4", "-q", "-m", "0", file]);
  await run(["mount", "-o", "loop", file, at]);
}

/** Writes what a cloud's first boot would write: names, network, keys. */
export async function furnish(rootfs: string, id: Identity): Promise<void> {
  const put = (file: string, content: string, mode = 0o644) => {
    mkdirSync(path.dirname(path.join(rootfs, file)), { recursive: true });
    writeFileSync(path.join(rootfs, file), content, { mode });
  };
  put("etc/hostname", `${id.name}\n`);
  put("etc/hosts", `127.0.0.1 localhost\n127.0.1.1 ${id.name}\n::1 localhost ip6-localhost ip6-loopback\n`);
  put("etc/machine-id", `${randomBytes(16).toString("hex")}\n`);
  put("etc/resolv.conf", `nameserver ${resolver}\noptions timeout:1 attempts:2\n`);
  // The name sorts before nspawn's own 80-container-host0.network, which would ask for DHCP.
  const network = `[Network]\nAddress=${id.address}/24\nGateway=${subnets[id.side]}.1\n`;
  put("etc/systemd/network/10-host0.network", `[Match]\nName=host0\n${network}`);
  put("etc/ssh/ssh_host_ed25519_key", id.hostKey.private, 0o600);
  put("etc/ssh/ssh_host_ed25519_key.pub", `${id.hostKey.public}\n`);
  mkdirSync(path.join(rootfs, "root/.ssh"), { recursive: true, mode: 0o700 });
  appendFileSync(
    path.join(rootfs, "root/.ssh/authorized_keys"),
    id.authorizedKeys.map((k) => `${k.trim()}\n`).join(""),
    { mode: 0o600 },
  );
  const wants = path.join(rootfs, "etc/systemd/system/multi-user.target.wants");
  mkdirSync(wants, { recursive: true });
  symlinkSync("/lib/systemd/system/systemd-networkd.service", path.join(wants, "systemd-networkd.service"));
  await run(["chroot", rootfs, "ssh-keygen", "-A"]); // the other kinds of host key, as on any server
}

/** A new ed25519 key pair in OpenSSH's format. */
export async function newKeyPair(scratch: string, comment: string): Promise<HostKey> {
  const work = mkdtempSync(path.join(scratch, "key-"));
  const file = path.join(work, "key");
  await run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", file]);
  const pair = { private: readFileSync(file, "utf8"), public: readFileSync(`${file}.pub`, "utf8").trim() };
  rmSync(work, { recursive: true });
  return pair;
}

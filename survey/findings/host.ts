import { type Check, error, note, risk, size, warning } from "../finding";
import { releaseOf } from "../facts";
import { targetRelease, wayOf } from "../install";
import { reached } from "../phase";
import { collates, diskOf, neededOnTarget } from "../measure";

const GiB = 1024 ** 3;
const MiB = 1024 ** 2;

export const architecture: Check = ({ source, target, migration: m }) => {
  const t = m.target;
  const planned = "type" in t && (/^cax/.test(t.type) ? "aarch64" : "x86_64");
  const there = target?.host.arch ?? planned;
  return (
    source &&
    there &&
    there !== source.host.arch &&
    error(
      "arch",
      "the servers' architectures differ",
      `source ${source.host.arch}, target ${there}`,
      `take a ${source.host.arch} target: neither Postgres' files nor the app's compiled parts run on another one`,
    )
  );
};

export const gatewayPorts: Check = ({ source }) =>
  source?.sshd?.gatewayPorts === "yes" &&
  error(
    "sshd-gateway-ports",
    "the source's sshd would open the tunnel to the network",
    "GatewayPorts is yes: what the tunnel forwards back, the target's Postgres and Redis, would listen on every address of the source",
    "set it to no, or to clientspecified and name the address in the forwards of your own, and reload sshd. Where the tunnel is up already, then restart trunkline-tunnel@wal and trunkline-tunnel@redis on the target",
  );

export const sshLimited: Check = ({ source, target, at }) =>
  at !== "retire" &&
  [source, target].flatMap((h) =>
    h?.sshd?.limits.length
      ? [
          risk(
            "ssh-limited",
            `the ${h.side}'s firewall counts connections to its SSH port`,
            h.sshd.limits.join("; "),
            "let them in without counting until retire (of ufw: `ufw allow 22/tcp` in place of `ufw limit`), and look again. Or let in the other server and this machine by their addresses above that rule, and accept this. The tunnels are five connections that come at once, and each step is one or more: turned away they would end a run in its middle, or keep the app from its database between shift and switch",
          ),
        ]
      : [],
  );

export const libc: Check = ({ source, target }) => {
  if (!source || !target) return null;
  const [s, t] = [source.host.libc, target.host.libc];
  const evidence = `source ${s.kind} ${s.version}, target ${t.kind} ${t.version}`;
  if (s.kind !== t.kind)
    return error(
      "libc",
      "the servers' C libraries sort text differently",
      evidence,
      `take a target with ${s.kind}: indexes on text would be corrupt`,
    );
  if (s.version !== t.version && collates(source))
    return warning(
      "collation",
      "the servers' C libraries are of different versions",
      `${evidence}; the database sorts by ${source.postgres?.database?.collate}`,
      "nothing now: before the switch every index on text is checked on the standby (amcheck), and a wrong one stops the migration",
    );
  return null;
};

export const release: Check = (seen) => {
  const { source } = seen;
  if (!source) return null;
  if (!["debian", "ubuntu"].includes(source.host.os.id))
    return error(
      "os",
      "the source's system is not known to the steps",
      source.host.os.name,
      "Debian and Ubuntu are; no other is supported",
    );
  const [s, t] = [releaseOf(source), targetRelease(seen)];
  if (!t || t === s) return null;
  const told = ["release", "the servers run different releases", `source ${s}, target ${t}`] as const;
  if (wayOf(seen) === "copy")
    return risk(
      ...told,
      `take ${s} for the target (serverImage), or leave appInstall out: the app's tree, Ruby and Node are carried as they are, and their libraries may be missing on another release`,
    );
  const say = seen.migration.app.install === "auto" ? warning : note;
  return say(
    ...told,
    "nothing: the app is installed anew in prepare, the official way, which takes up to an hour (Ruby is compiled)",
  );
};

export const clocks: Check = ({ source, target, asked }) =>
  (["source", "target"] as const).flatMap((side) => {
    const host = { source, target }[side];
    if (!host) return [];
    const { epochMs } = host.host.clock;
    // A server under load takes its time to answer; only what no delay can explain counts.
    const apart = Math.max(0, asked[side].fromMs - epochMs, epochMs - asked[side].toMs) / 1000;
    const evidence = `the ${side}'s clock and this machine's are ${apart.toFixed(0)} s apart`;
    if (apart > 60)
      return [
        risk(
          "clock",
          "clocks are apart",
          evidence,
          "switch on time synchronisation (timedatectl set-ntp true): signatures of the fediverse are checked against the clock",
        ),
      ];
    if (apart > 5)
      return [
        warning(
          "clock-drift",
          "clocks are a little apart",
          evidence,
          "switch on time synchronisation (timedatectl set-ntp true)",
        ),
      ];
    return [];
  });

export const sourceDisk: Check = ({ source, at, migration: m }) => {
  const disk = source && diskOf(source, source.postgres?.dataDir ?? "/");
  if (!source || !disk || reached(at, "switch")) return null;
  const need = m.slotKeepMiB * MiB + GiB;
  return (
    disk.freeBytes < need &&
    error(
      "source-disk",
      "too little disk on the source",
      `${disk.mount} has ${size(disk.freeBytes)} free; the slot may hold back ${size(m.slotKeepMiB * MiB)} of WAL`,
      "make room, or lower slotKeepMiB",
    )
  );
};

export const targetDisk: Check = ({ source, target, at }) => {
  if (!source || !target || reached(at, "replicate")) return null;
  const free = target.disks.reduce((most, d) => Math.max(most, d.freeBytes), 0);
  const need = neededOnTarget(source);
  return (
    free < need &&
    error(
      "target-disk",
      "too little disk on the target",
      `${size(free)} free, about ${size(need)} needed`,
      "take a server with a larger disk",
    )
  );
};

export const memory: Check = ({ source, target }) =>
  source &&
  target &&
  target.host.memoryBytes < source.host.memoryBytes * 0.9 &&
  warning(
    "memory",
    "the target has less memory than the source",
    `source ${size(source.host.memoryBytes)}, target ${size(target.host.memoryBytes)}`,
    "take a larger server, or lower WEB_CONCURRENCY and shared_buffers",
  );

/** A target that was gone back from has a Postgres again, and in it no database of the app. */
const emptyAgain = /database "[^"]*" does not exist/;

export const unread: Check = ({ source, target }) =>
  [source, target].flatMap((h) =>
    (h?.unread ?? [])
      .filter((u) => h?.side === "source" || !emptyAgain.test(u.why))
      .map((u) =>
        note("unread", `could not be read on the ${h?.side}: ${u.what}`, u.why, "look by hand if it matters"),
      ),
  );

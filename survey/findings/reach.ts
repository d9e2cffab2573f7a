import { slowGaps } from "../awaited";
import { type Check, error, note, older, risk, warning } from "../finding";
import { reached } from "../phase";

export const sourceUnreachable: Check = ({ unreachable, migration: m }) => {
  if (!unreachable.source) return null;
  const late = m.phase === "settle" || m.phase === "retire";
  return (late ? risk : error)(
    "source-unreachable",
    "the source can't be surveyed",
    unreachable.source,
    late
      ? "bring it back; if it is gone for good and the target serves alone, accept this finding: its steps are then left out"
      : "make it reachable and run again; nothing has been changed",
  );
};

export const targetUnreachable: Check = ({ unreachable, at, migration: m }) => {
  if (!unreachable.target) return null;
  // A new server takes its time to boot, and the steps wait for it; one that has data has to answer now.
  const booting = m.target.provider !== "existing" && !reached(at, "replicate");
  const idle = m.phase === "survey" && at === "survey";
  return booting || idle
    ? note(
        "target-booting",
        "the target does not answer yet",
        unreachable.target,
        "nothing: the steps wait for it",
      )
    : error(
        "target-unreachable",
        "the target can't be surveyed",
        unreachable.target,
        "make it reachable and run again; nothing has been changed",
      );
};

/** A gap that comes of a server's slowness looks like a part that is not there; it is said what it is. The survey has looked again and again (survey/awaited.ts). */
export const slow: Check = ({ source, target }) =>
  [source, target].flatMap((h) => {
    const gaps = slowGaps(h);
    return gaps.length
      ? [
          error(
            "survey-slow",
            "a server is too slow to be read",
            `the ${h?.side} ${h?.host.name}: ${gaps.map((u) => `${u.what}: ${u.why}`).join(", ")}`,
            "run again when it has less to do; other findings may come of the gaps",
          ),
        ]
      : [];
  });

/** The survey has waited for it (survey/awaited.ts). */
export const starting: Check = ({ source, target }) =>
  [source, target].flatMap((h) =>
    (h?.starting ?? []).map((part) =>
      error(
        "still-starting",
        "a server's database does not come up",
        `${part} on the ${h?.side} ${h?.host.name} is starting, and did not answer in time`,
        "see its log there (journalctl, /var/log/postgresql): after a power cut it may have much to read again. Run again when it answers",
      ),
    ),
  );

/** Once they serve, nobody but their owner starts them: what stopped them has to be understood first. */
export const targetDown: Check = ({ target, at }) => {
  const journal = target?.trunkline.journal;
  if (!target || !reached(at, "switch") || at === "retire") return null;
  // What a switchover left half done, and a standby, is started by the next one.
  if (target.starting.length || !journal?.promoted || !journal.done) return null;
  const down = [
    target.postgres?.role === "down" && !target.postgres.standbySignal && "Postgres",
    !target.redis && "Redis",
  ].filter((part) => part);
  return (
    down.length > 0 &&
    error(
      "target-down",
      "the target holds the data, and its database does not answer",
      `${down.join(" and ")} on the target ${target.host.name}`,
      "see why it stopped (its log), start it (systemctl start), and run again",
    )
  );
};

export const followerDown: Check = ({ source, at }) =>
  (at === "switch" || at === "settle") &&
  source?.postgres?.role === "down" &&
  !source.starting.length &&
  warning(
    "follower-down",
    "the source's Postgres does not follow the target",
    `it is down; ${source.postgres.dataDir}`,
    "start it there (it comes up as a standby): until then there is no way back, and the target keeps WAL for it",
  );

export const noWayBack: Check = ({ at, migration: m }) =>
  at === "retire" &&
  m.phase !== "retire" &&
  error(
    "no-way-back",
    "the migration is retired",
    `phase is ${m.phase}, but the source has been retired`,
    "set phase to retire; to move again, start a new stack with this server as its source",
  );

export const tooFarBack: Check = ({ at, migration: m }) =>
  m.phase === "survey" &&
  reached(at, "switch") &&
  error(
    "data-on-target",
    "the data live on the target",
    `phase is survey, which removes the target, but the migration stands at ${at}`,
    "go back to replicate first (pulumi config set phase replicate), see that all is well, then to survey",
  );

export const tools: Check = ({ source, target }) =>
  [source, target].flatMap((host) =>
    (host?.side === "source" ? ["rsync", "nginx", "systemctl"] : host ? ["systemctl"] : [])
      .filter((tool) => !host?.tools[tool])
      .map((tool) =>
        error(
          `no-${tool}`,
          `${tool} is missing`,
          `the ${host?.side} ${host?.host.name} has no ${tool}`,
          tool === "rsync"
            ? `apt-get install rsync there: nothing is installed on your source for you`
            : `a systemd source install behind nginx is what this migration moves`,
        ),
      ),
  );

export const python: Check = ({ source, target }) =>
  [source, target].flatMap((h) =>
    h && older(h.host.python, "3.9")
      ? [
          error(
            "python-too-old",
            "Python is too old for the steps",
            `${h.side} ${h.host.name} has ${h.host.python}`,
            "3.9 or newer is needed",
          ),
        ]
      : [],
  );

export const root: Check = ({ source, target }) =>
  [source, target].flatMap((h) =>
    h && !h.host.login.root && !h.host.login.sudo
      ? [
          error(
            "no-root",
            "the SSH user can't become root",
            `${h.host.login.user} on the ${h.side} may not run sudo -n`,
            "take root, or give the user NOPASSWD in sudoers",
          ),
        ]
      : [],
  );

export const forwarding: Check = ({ source }) =>
  source?.sshd &&
  !["yes", "local", "all"].includes(source.sshd.allowTcpForwarding) &&
  error(
    "sshd-forwarding",
    "the source's sshd forwards no ports",
    `AllowTcpForwarding is ${source.sshd.allowTcpForwarding}`,
    "allow it for the login user (Match User ... AllowTcpForwarding yes, and no DisableForwarding) and reload sshd: the tunnel is made of it. A key line then limits it to named ports",
  );

export const reverseForwarding: Check = ({ source }) =>
  source?.sshd?.allowTcpForwarding === "local" &&
  error(
    "sshd-reverse-forwarding",
    "the source's sshd forwards no ports back",
    "AllowTcpForwarding is local",
    "set it to yes: without the way back (remote forwards) the source can't follow the target after the switch",
  );

import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import path from "node:path";
import { hostCgroups } from "./cgroups";
import type { Identity } from "./rootfs";
import { run, type RunOptions, type RunOutput, waitFor } from "./run";

const environment = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  HOME: "/root",
  USER: "root",
  LANG: "en_US.UTF-8",
  SYSTEMD_PAGER: "",
};

export type ExecOptions = Pick<RunOptions, "input" | "timeoutMs" | "allowFail">;

/** A server of the lab: a systemd of its own on a disk of its own, reached over its network or entered by root. */
export class LabHost {
  readonly name: string;
  readonly address: string;
  /** As in known_hosts, without the host's name: `ssh-ed25519 AAAA…`. */
  readonly hostKeyPublic: string;
  private readonly side: string;
  private readonly systemCalls: string[];
  /** When it had no power, in milliseconds of the wall clock. */
  readonly outages: { from: number; to: number }[] = [];
  private machine?: ChildProcess;
  private boots = 0;

  constructor(
    id: Identity,
    /** The host's tree as this side sees it. Absolute links in it point to the machine's files: mind them. */
    readonly rootfs: string,
    private readonly dir: string,
  ) {
    this.name = id.name;
    this.address = id.address;
    this.hostKeyPublic = id.hostKey.public.split(" ").slice(0, 2).join(" ");
    this.side = id.side;
    this.systemCalls = id.systemCalls ?? [];
  }

  /** Runs a command as root on the host, by entering it, so that no cut network stops it. */
  async exec(cmd: string[], o: ExecOptions = {}): Promise<RunOutput> {
    const limit = Math.ceil((o.timeoutMs ?? 120_000) / 1000);
    const enter = ["nsenter", "-t", String(this.pid()), "-m", "-u", "-i", "-n", "-p", "-C"];
    // The inner limit ends the command, whose process we can't reach from here; ours is for a host that hangs.
    const argv = [...enter, "timeout", "--kill-after=5", String(limit), ...cmd];
    const outer = { timeoutMs: (limit + 15) * 1000, env: environment, where: this.name, shown: cmd };
    return run(argv, { ...o, ...outer });
  }

  /** Runs a bash script as root on the host, strictly. */
  sh(script: string, o: ExecOptions = {}): Promise<RunOutput> {
    return this.exec(["bash", "-euo", "pipefail", "-c", script], o);
  }

  /** Writes a file on the host at once: whoever reads it sees the old or the new one. */
  async put(file: string, content: string, mode = 0o644): Promise<void> {
    const script =
      'mkdir -p "$(dirname "$1")"; t=$(mktemp "$1.XXXXXX"); cat >"$t"; chmod "$2" "$t"; mv -T "$t" "$1"';
    await this.exec(["bash", "-euc", script, "put", file, mode.toString(8)], { input: content });
  }

  running(): boolean {
    return !!this.machine && this.machine.exitCode === null && this.machine.signalCode === null;
  }

  /** Switches the host on and waits until systemd has started everything and sshd answers. */
  async start(): Promise<void> {
    if (this.running()) return;
    this.machine = this.spawnMachine();
    await this.booted();
    const outage = this.outages.at(-1);
    if (outage?.to === Infinity) outage.to = Date.now();
  }

  /** Waits until the host is up; `fits` may tell a new init from the one before an orderly reboot. */
  async booted(fits: (pid: number) => boolean = () => true): Promise<void> {
    await waitFor(`${this.name} to boot`, 60_000, async () => {
      if (!this.running()) throw new Error(`${this.name}: the machine ended while booting`);
      const pid = this.findPid();
      if (!pid || !fits(pid)) return "no new init yet";
      return (await this.systemState()) ?? (await sshdAnswers(this.address));
    }).catch((e: Error) => {
      throw new Error(`${e.message}\n${this.consoleTail()}`);
    });
    writeFileSync(path.join(this.dir, "pid"), `${this.pid()}\n`); // for attach.sh
  }

  /** Pulls the plug: nothing on the host gets to say goodbye. Its disk stays. */
  async kill(): Promise<void> {
    if (!this.running()) return;
    const machine = this.machine!;
    machine.removeAllListeners("exit"); // it may be rebooting itself just now
    this.outages.push({ from: Date.now(), to: Infinity });
    process.kill(this.findPid() ?? machine.pid!, "SIGKILL");
    const late = setTimeout(() => machine.kill("SIGKILL"), 5_000);
    await waitFor(
      `${this.name} to lose power`,
      15_000,
      async () => !this.running() || "its machine still runs",
    );
    clearTimeout(late);
  }

  /** A power cut and a boot from the same disk. */
  async reboot(): Promise<void> {
    await this.kill();
    await this.start();
  }

  /** The host's init, by our process ids. */
  pid(): number {
    const pid = this.findPid();
    if (!pid) throw new Error(`${this.name} is off: expected a running host; start() it first`);
    return pid;
  }

  private findPid(): number | undefined {
    if (!this.running()) return undefined;
    const nspawn = this.machine!.pid!;
    try {
      const children = readFileSync(`/proc/${nspawn}/task/${nspawn}/children`, "utf8").trim().split(" ");
      return Number(children.at(-1)) || undefined;
    } catch {
      return undefined; // it ended between the two looks
    }
  }

  private spawnMachine(): ChildProcess {
    const console = openSync(path.join(this.dir, "console.log"), "a");
    // A new machine name each time, so that the interface of a killed one is never in the way.
    const nspawn = [
      "systemd-nspawn",
      "--quiet",
      "--boot",
      "-D",
      this.rootfs,
      `--machine=${this.name}-${++this.boots}`,
    ];
    const apart = [
      "--register=no",
      "--keep-unit",
      "--settings=no",
      "--link-journal=no",
      "--resolv-conf=off",
      "--timezone=off",
    ];
    const world = [`--hostname=${this.name}`, `--network-bridge=${this.side}`, "--bind=/dev/fuse"];
    const kernel = this.systemCalls.length ? [`--system-call-filter=${this.systemCalls.join(" ")}`] : [];
    // Each machine in a control group of its own: systemd kills by group, and two in one would kill each other's.
    const join = 'for g in $1; do echo $$ >"$g/cgroup.procs"; done; shift; exec "$@"';
    const argv = [
      "-c",
      join,
      "boot",
      hostCgroups(this.name).join(" "),
      ...nspawn,
      ...apart,
      ...world,
      ...kernel,
    ];
    const machine = spawn("bash", argv, { stdio: ["ignore", console, console], detached: true });
    closeSync(console);
    // An orderly reboot ends the machine with this code, for a service manager to start it again: here, that is us.
    machine.once("exit", (code) => code === 133 && (this.machine = this.spawnMachine()));
    return machine;
  }

  /** Why systemd is not up yet, or nothing. */
  private async systemState(): Promise<string | undefined> {
    const o = { allowFail: true, timeoutMs: 5_000 };
    const state = await this.exec(["systemctl", "is-system-running"], o).catch((e: Error) => ({
      stdout: e.message,
    }));
    return /^(running|degraded)$/.test(state.stdout.trim())
      ? undefined
      : `systemd says "${state.stdout.trim()}"`;
  }

  private consoleTail(): string {
    const lines = readFileSync(path.join(this.dir, "console.log"), "utf8").trimEnd().split("\n");
    return `the last lines of its console:\n${lines.slice(-20).join("\n")}`;
  }
}

/** Whether a server that greets as SSH listens there. */
function sshdAnswers(address: string): Promise<true | string> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port: 22, timeout: 2_000 });
    const end = (answer: true | string) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("data", (hello) => end(hello.toString().startsWith("SSH-") || "port 22 is not SSH"));
    socket.once("timeout", () => end("sshd is silent"));
    socket.once("error", (e) => end(`sshd: ${e.message}`));
    socket.once("close", () => end("sshd hung up"));
  });
}

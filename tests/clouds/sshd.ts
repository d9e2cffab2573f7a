/** An sshd of the tests' own, on loopback, with keys made for it. */
import "./loopback";
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";

const SSHD = "/usr/sbin/sshd";

/** Why there is no sshd to test with, if so. */
export const noSshd: string | false =
  process.getuid?.() !== 0
    ? "needs root: the test sshd logs root in"
    : !existsSync(SSHD) && "openssh-server is not installed";

export interface Sshd {
  port: number;
  dir: string;
  /** The user's private key. */
  key: string;
  hostKey: string;
  rsaHostKey: string;
  connection(more?: Record<string, unknown>): Record<string, unknown>;
  /** Ends every connection, as a reboot would. */
  cut(): void;
  stop(): void;
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = net.createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as net.AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

function keyPair(dir: string, name: string, type: string): { private: string; public: string } {
  const file = path.join(dir, name);
  execFileSync("ssh-keygen", ["-q", "-t", type, "-N", "", "-C", "test", "-f", file]);
  return { private: readFileSync(file, "utf8"), public: readFileSync(`${file}.pub`, "utf8").trim() };
}

async function answers(port: number): Promise<void> {
  for (const end = Date.now() + 60_000; Date.now() < end;) {
    const ok = await new Promise<boolean>((resolve) => {
      const socket = net.connect(port, "127.0.0.1");
      const say = (answered: boolean) => () => {
        socket.destroy();
        resolve(answered);
      };
      socket.once("data", say(true)).once("error", say(false)).setTimeout(500, say(false));
    });
    if (ok) return;
  }
  throw new Error(`sshd does not answer on port ${port} after 60 s`);
}

/** Starts it; variables that begin with OK_ are accepted. */
export async function startSshd(): Promise<Sshd> {
  const dir = mkdtempSync(path.join(tmpdir(), "trunkline-sshd-"));
  const [user, host, rsa] = [
    keyPair(dir, "user", "ed25519"),
    keyPair(dir, "host", "ed25519"),
    keyPair(dir, "rsa", "rsa"),
  ];
  const port = await freePort();
  writeFileSync(path.join(dir, "authorized"), `${user.public}\n`, { mode: 0o600 });
  const config = [
    `Port ${port}`,
    "ListenAddress 127.0.0.1",
    `HostKey ${dir}/host`,
    `HostKey ${dir}/rsa`,
    `AuthorizedKeysFile ${dir}/authorized`,
    "StrictModes no",
    "UsePAM no",
    "PidFile none",
    "AcceptEnv OK_*",
    "Subsystem sftp internal-sftp",
  ];
  writeFileSync(path.join(dir, "config"), `${config.join("\n")}\n`);
  mkdirSync("/run/sshd", { recursive: true });
  const child: ChildProcess = spawn(SSHD, ["-D", "-f", path.join(dir, "config")], { stdio: "ignore" });
  await answers(port);
  const connection = {
    host: "127.0.0.1",
    port,
    user: "root",
    privateKey: user.private,
    hostKey: host.public,
  };
  return {
    port,
    dir,
    key: user.private,
    hostKey: host.public,
    rsaHostKey: rsa.public,
    connection: (more = {}) => ({ ...connection, dialErrorLimit: 2, perDialTimeout: 5, ...more }),
    cut() {
      // The session processes are children of this very sshd.
      execFileSync("/bin/sh", ["-c", `for p in $(ps -o pid= --ppid ${child.pid}); do kill -9 "$p"; done`]);
    },
    stop() {
      child.kill();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

import { createHash } from "node:crypto";
import { connect, type Socket } from "node:net";
import { Client, type ClientChannel } from "ssh2";

/** A server to read from, and how to know that it is the right one. */
export interface SshServer {
  /** As messages call it: source or target. */
  side: string;
  host: string;
  port: number;
  user: string;
  privateKey: string;
  /** Its ed25519 key, or the key's fingerprint as `fingerprintOf` gives it. */
  pinned: { hostKey: string } | { fingerprint: string };
}

export interface SshAnswer {
  stdout: string;
  stderr: string;
  code: number | null;
  /** The key that the server showed, "ssh-ed25519 AAAA…". */
  hostKey: string;
  /** One round trip: what opening the TCP connection took. */
  rttMs: number;
}

/**
 * Runs one command over a connection of its own, with its input on stdin. @throws Error with what to check.
 */
export async function runOver(
  server: SshServer,
  command: string,
  input: string,
  deadlineMs: number,
): Promise<SshAnswer> {
  const where = `the ${server.side} ${server.host} port ${server.port}`;
  const began = performance.now();
  const socket = await dial(server, where);
  const rttMs = performance.now() - began;
  let hostKey = "";
  const client = new Client();
  client.on("error", () => undefined); // one that comes after the first would end the whole program
  try {
    const left = new Promise<never>((_, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`${where} did not finish within ${deadlineMs / 1000} s: \`${command}\``)),
        deadlineMs,
      );
      client.once("close", () => clearTimeout(timer));
    });
    const answer = open(client, server, socket, where, (key) => (hostKey = key)).then(() =>
      exec(client, command, input),
    );
    return { ...(await Promise.race([answer, left])), hostKey, rttMs };
  } finally {
    client.destroy();
  }
}

/** Seconds between signs of life, of which the other side may miss some. */
const pulse = 5;

/**
 * Starts a command and leaves it running for as long as this process lives, or the connection: it is told so by a line
 * every few seconds. @returns the first line that it says. @throws Error where it says none
 */
export async function holdOver(server: SshServer, command: string): Promise<string> {
  const where = `the ${server.side} ${server.host} port ${server.port}`;
  const socket = await dial(server, where);
  const client = new Client();
  client.on("error", () => client.destroy()); // now, or later: a connection that is lost is lost
  await open(client, server, socket, where, () => undefined);
  return new Promise((resolve, reject) => {
    client.once("close", () => reject(new Error(`the connection was lost during \`${command}\``)));
    client.exec(command, (failed, channel: ClientChannel) => {
      if (failed) return reject(failed);
      const beat = setInterval(() => channel.write("\n"), pulse * 1000).unref();
      channel.on("error", () => undefined);
      channel.on("close", () => {
        clearInterval(beat);
        client.destroy();
      });
      let said = "";
      channel.on("data", (b: Buffer) => {
        said += b.toString(); // a line may come in parts
        if (!said.includes("\n")) return;
        socket.unref(); // it must not keep the process
        resolve(said.split("\n")[0] ?? "");
      });
    });
  });
}

const hints: Record<string, string> = {
  ECONNREFUSED: "nothing listens there: check the port, and that sshd runs",
  ETIMEDOUT: "no answer: check the address, firewalls, and that the server is up",
  EHOSTUNREACH: "no way there: check the address and your network",
  ENETUNREACH: "no way there: check the address and your network",
};

function dial(server: SshServer, where: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: server.host, port: server.port, timeout: 10_000 });
    const fail = (code: string) => {
      socket.destroy();
      reject(
        new Error(
          `${where} can't be reached (${code}): ${hints[code] ?? "check the address, the port and your network"}`,
        ),
      );
    };
    socket.once("connect", () => {
      socket.removeAllListeners();
      socket.setTimeout(0);
      resolve(socket);
    });
    socket.once("timeout", () => fail("ETIMEDOUT"));
    socket.once("error", (e: NodeJS.ErrnoException) => fail(e.code ?? e.message));
  });
}

function open(
  client: Client,
  server: SshServer,
  sock: Socket,
  where: string,
  seen: (key: string) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let wrong = "";
    client.once("ready", resolve);
    client.once("error", (e) => reject(new Error(wrong || explain(e, server, where))));
    client.connect({
      sock,
      username: server.user,
      privateKey: server.privateKey,
      readyTimeout: 15_000,
      algorithms: { serverHostKey: ["ssh-ed25519"] },
      hostVerifier: (key: Buffer) => {
        const shown = `ssh-ed25519 ${key.toString("base64")}`;
        seen(shown);
        wrong = mismatch(shown, server, where);
        return !wrong;
      },
    });
  });
}

/** What to say of a host key that is not the pinned one; "" if it is. */
function mismatch(shown: string, { pinned, side }: SshServer, where: string): string {
  if ("hostKey" in pinned ? shown === pinned.hostKey : fingerprintOf(shown) === pinned.fingerprint) return "";
  return (
    `${where} shows another host key (${shown}) than the one that is pinned (${Object.values(pinned).join()}): ` +
    `either it is not that server, or ${side}HostKey is wrong. ` +
    `Compare it with /etc/ssh/ssh_host_ed25519_key.pub on its console`
  );
}

function explain(e: Error & { level?: string }, server: SshServer, where: string): string {
  if (e.level === "client-authentication")
    return `${where} does not let ${server.user} in with the key: put its public half into ${server.user}'s authorized_keys there, or correct ${server.side}User or sshPrivateKey`;
  if (/no matching host key/i.test(e.message))
    return `${where} has no ed25519 host key: make one there (ssh-keygen -A) and restart sshd`;
  return `${where}: the SSH connection failed (${e.message}): check that an SSH server answers there and look at its log`;
}

function exec(
  client: Client,
  command: string,
  input: string,
): Promise<{ stdout: string; stderr: string; code: number | null }> {
  return new Promise((resolve, reject) => {
    client.once("error", reject);
    client.once("close", () => reject(new Error(`the connection was lost during \`${command}\``)));
    client.exec(command, (failed, channel: ClientChannel) => {
      if (failed) return reject(failed);
      let [stdout, stderr] = ["", ""];
      let code: number | null = null;
      channel.on("data", (b: Buffer) => (stdout += b.toString()));
      channel.stderr.on("data", (b: Buffer) => (stderr += b.toString()));
      channel.on("exit", (c: number | null) => (code = c));
      channel.on("close", () => resolve({ stdout, stderr, code }));
      channel.on("error", reject);
      channel.end(input);
    });
  });
}

/** A host key's fingerprint in letters and digits alone, so that it fits into a label of any cloud. */
export function fingerprintOf(hostKey: string): string {
  const digest = createHash("sha256")
    .update(Buffer.from(hostKey.split(" ")[1] ?? "", "base64"))
    .digest();
  let bits = 0n;
  for (const byte of digest) bits = (bits << 8n) | BigInt(byte);
  return bits.toString(36).padStart(50, "0");
}

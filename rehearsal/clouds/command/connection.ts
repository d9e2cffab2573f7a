/** The `connection` of @pulumi/command 1.2.1: how it dials, what it verifies, when it gives up. */
import { createPrivateKey } from "node:crypto";
import net from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { Client, type ConnectConfig, type ServerHostKeyAlgorithm } from "ssh2";
import type { Context } from "../resource";
import type { Json, Props } from "../values";

/** One end of a connection, defaults filled in. */
export interface Endpoint {
  host: string;
  port: number;
  user: string;
  password?: string;
  privateKey?: string;
  privateKeyPassword?: string;
  agentSocketPath?: string;
  hostKey?: string;
  dialErrorLimit: number;
  perDialTimeout: number;
  proxy?: Endpoint;
}

const DEFAULTS = { port: 22, user: "root", dialErrorLimit: 10, perDialTimeout: 15 };

export function endpointOf(connection: Json | undefined): Endpoint {
  const given = (connection ?? {}) as Props;
  const proxy = given["proxy"] ? endpointOf(given["proxy"]) : undefined;
  return { ...DEFAULTS, ...given, proxy } as unknown as Endpoint;
}

/**
 * A silent network is noticed after 147 s, as measured with the real plugin (Go's keep-alive: every 15 s, nine times).
 * Node always probes ten times, a second apart, so the wait comes before the first one.
 */
const KEEPALIVE_MS = 137_000;

function dialTcp(at: Endpoint): Promise<net.Socket> {
  const { host, port, perDialTimeout } = at;
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host, port });
    const fail = (why: string): void => {
      socket.destroy();
      reject(new Error(`dial tcp ${host}:${port}: ${why}`));
    };
    const timer =
      perDialTimeout > 0 ? setTimeout(() => fail("i/o timeout"), perDialTimeout * 1000) : undefined;
    socket.once("error", (e: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      fail(e.code === "ECONNREFUSED" ? "connect: connection refused" : e.message);
    });
    socket.once("connect", () => {
      clearTimeout(timer);
      socket.removeAllListeners("error");
      socket.setKeepAlive(true, KEEPALIVE_MS);
      socket.setNoDelay(true);
      resolve(socket);
    });
  });
}

/** ssh2 reads OpenSSH's and the old PEM formats; PKCS#8 is turned into one of them where that can be done. */
function privateKeyFor(at: Endpoint): string | undefined {
  if (!at.privateKey?.includes("BEGIN PRIVATE KEY")) return at.privateKey;
  const key = createPrivateKey(at.privateKey);
  if (key.asymmetricKeyType === "rsa") return key.export({ type: "pkcs1", format: "pem" }).toString();
  if (key.asymmetricKeyType === "ec") return key.export({ type: "sec1", format: "pem" }).toString();
  throw new Error(
    "the stand-in cannot read an ed25519 key in PKCS#8: give privateKeyOpenssh instead of privateKeyPem",
  );
}

/** Pinned when a key is given; without one nothing is verified, exactly as the real plugin does. */
function hostKeyRules(at: Endpoint): ConnectConfig {
  if (at.hostKey === undefined) return { hostVerifier: () => true };
  const [type, blob] = at.hostKey.trim().split(/\s+/);
  if (!type || !blob) throw new Error("failed to parse host key: ssh: no key found");
  const pinned = Buffer.from(blob, "base64");
  return {
    hostVerifier: (key: Buffer) => key.equals(pinned),
    // Only the key's own type: for RSA that is `ssh-rsa`, which no modern sshd offers any more.
    algorithms: { serverHostKey: [type as ServerHostKeyAlgorithm] },
  };
}

function explain(message: string): string {
  if (/Host denied|verification failed/i.test(message))
    return "ssh: handshake failed: ssh: host key mismatch";
  if (/no matching host key/i.test(message))
    return `ssh: handshake failed: ssh: no common algorithm for host key; ${message}`;
  if (/authentication methods failed/i.test(message)) {
    return "ssh: handshake failed: ssh: unable to authenticate, no supported methods remain";
  }
  return `ssh: handshake failed: ${message}`;
}

function configFor(at: Endpoint, sock: net.Socket): ConnectConfig {
  return {
    sock,
    username: at.user,
    password: at.password,
    privateKey: privateKeyFor(at),
    passphrase: at.privateKeyPassword,
    agent: at.agentSocketPath ?? process.env["SSH_AUTH_SOCK"],
    tryKeyboard: at.password !== undefined,
    // The real plugin limits the dial, not the handshake, and sends no keep-alives of its own.
    readyTimeout: 0,
    keepaliveInterval: 0,
    ...hostKeyRules(at),
  };
}

function handshake(at: Endpoint, sock: net.Socket): Promise<Client> {
  return new Promise((resolve, reject) => {
    const client = new Client();
    const fail = (why: string): void => {
      sock.destroy();
      reject(new Error(explain(why)));
    };
    client.once("error", (e) => fail(e.message));
    client.once("close", () => fail("EOF"));
    client.on("keyboard-interactive", (_name, _instructions, _lang, prompts, finish) =>
      finish(prompts.map(() => at.password ?? "")),
    );
    client.once("ready", () => {
      client.removeAllListeners("close");
      // A later error of the connection is told by its channels, which end without an exit status.
      client.on("error", () => undefined);
      resolve(client);
    });
    client.connect(configFor(at, sock));
  });
}

/** Tries until it works or the limit is passed: 100 ms, half as much again each time, 5 s at most. */
async function retrying<T>(what: string, limit: number, c: Context, attempt: () => Promise<T>): Promise<T> {
  const deadline = c.timeoutSeconds > 0 ? Date.now() + c.timeoutSeconds * 1000 : Infinity;
  for (let tried = 1, pause = 100; ; tried++, pause = Math.min(pause * 1.5, 5_000)) {
    try {
      return await attempt();
    } catch (e) {
      if (limit > -1 && tried > limit) {
        throw new Error(`after ${limit} failed attempts: ${(e as Error).message}`, { cause: e });
      }
    }
    await c.session.log(
      "info",
      `${what} ${tried}/${limit === -1 ? "inf" : limit} failed: retrying`,
      c.urn,
      true,
    );
    if (c.session.signal.aborted) throw new Error("context canceled");
    if (Date.now() + pause > deadline) throw new Error("context deadline exceeded");
    await delay(pause, undefined, { signal: c.session.signal }).catch(() => undefined);
  }
}

function forward(through: Client, to: Endpoint): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    through.forwardOut("127.0.0.1", 0, to.host, to.port, (e, stream) =>
      e ? reject(new Error(`ssh: rejected: ${e.message}`)) : resolve(stream as unknown as net.Socket),
    );
  });
}

/** Connects, through the proxy where one is given. The caller closes what it gets. */
export async function dial(at: Endpoint, c: Context): Promise<Client> {
  if (!at.host) throw new Error("connection.host is missing");
  const { proxy } = at;
  if (!proxy) return retrying("Dial", at.dialErrorLimit, c, async () => handshake(at, await dialTcp(at)));
  try {
    const through = await retrying("Dial proxy", proxy.dialErrorLimit, c, async () =>
      handshake(proxy, await dialTcp(proxy)),
    );
    const client = await retrying("Dial", at.dialErrorLimit, c, async () =>
      handshake(at, await forward(through, at)),
    );
    client.once("close", () => through.end());
    return client;
  } catch (e) {
    throw new Error(`proxy: ${(e as Error).message}`, { cause: e });
  }
}

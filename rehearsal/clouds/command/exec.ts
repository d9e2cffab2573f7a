/** One command over one SSH connection, as Go's ssh.Session runs it. */
import type { Client, ClientChannel } from "ssh2";
import type { Context } from "../resource";
import { LineTooLong, type Output } from "./output";

export interface Run {
  command: string;
  stdin: string;
  /** Refused by the server: an error. */
  environment: Record<string, string>;
  /** Refused by the server: a warning. */
  previous: Record<string, string>;
}

type Answer = (refused: boolean | Error | undefined) => void;

/** The parts of ssh2 that it does not export: it sends `env` without asking for an answer. */
interface Internals {
  _protocol: {
    env(channel: number, key: string, value: string, wantReply: boolean): void;
    exec(channel: number, command: string, wantReply: boolean): void;
  };
  _chanMgr: { get(channel: number): { _callbacks: Answer[] } };
}

function refusal(key: string): string {
  return (
    `Unable to set '${key}'. This only works if your SSH server is configured to accept\n` +
    `\tthese variables via AcceptEnv. Alternatively, if a Bash-like shell runs the command on the remote host, you could\n` +
    `\tprefix the command itself with the variables in the form 'VAR=value command'`
  );
}

/** Makes ssh2 ask for each variable, and hold the command back until all were answered. */
function askForEnvironment(client: Client, decide: (refused: string[]) => Promise<void>): void {
  const { _protocol: protocol, _chanMgr: channels } = client as unknown as Internals;
  const [env, exec] = [protocol.env.bind(protocol), protocol.exec.bind(protocol)];
  const answers: Promise<string | undefined>[] = [];
  protocol.env = (channel, key, value) => {
    const { _callbacks: queue } = channels.get(channel);
    answers.push(new Promise((resolve) => queue.push((refused) => resolve(refused ? key : undefined))));
    env(channel, key, value, true);
  };
  protocol.exec = (channel, command, wantReply) => {
    void Promise.all(answers)
      .then((keys) => decide(keys.filter((key) => key !== undefined)))
      .then(
        () => exec(channel, command, wantReply),
        // The answer to exec is the last one queued; it will never be sent now.
        (e: Error) => channels.get(channel)._callbacks.pop()?.(e),
      );
  };
}

interface Opened {
  channel: ClientChannel;
  /** How it ended: undefined when well. */
  ended: Promise<string | undefined>;
}

/** Listens at once: the answer to a short command may hold its exit status in the same packet. */
function listen(channel: ClientChannel): Opened {
  let how: string | undefined = "wait: remote command exited without exit status or exit signal";
  channel.on("exit", (code: number | null, signal?: string) => {
    how = code === 0 ? undefined : `Process exited with status ${code ?? "1"}`;
    if (signal) how = `Process exited with status 1 from signal ${signal.replace(/^SIG/, "")}`;
  });
  return { channel, ended: new Promise((resolve) => channel.once("close", () => resolve(how))) };
}

function open(client: Client, run: Run, c: Context): Promise<Opened> {
  askForEnvironment(client, async (refused) => {
    for (const key of refused) {
      const isHard = key in run.environment;
      await c.session.log(isHard ? "error" : "warning", refusal(key), c.urn);
      if (isHard) throw new Error(`could not set environment variable "${key}": ssh: setenv failed`);
    }
  });
  return new Promise((resolve, reject) => {
    client.exec(run.command, { env: { ...run.environment, ...run.previous } }, (e, channel) =>
      e ? reject(e) : resolve(listen(channel)),
    );
  });
}

/** Runs the command to its end; a cancelled engine waits for it as well. */
export async function execute(client: Client, run: Run, output: Output, c: Context): Promise<void> {
  const { channel, ended } = await open(client, run, c);
  const broken = new Promise<never>((_, reject) => {
    const take = (stream: "stdout" | "stderr") => (data: Buffer) => {
      try {
        output.add(stream, data);
      } catch (e) {
        channel.close();
        reject(e);
      }
    };
    channel.on("data", take("stdout"));
    channel.stderr.on("data", take("stderr"));
  });
  // Nothing given is an empty stdin, closed at once. A command that never reads it is no error.
  channel.on("error", () => undefined);
  channel.end(run.stdin);
  try {
    const failed = await Promise.race([ended, broken]);
    await output.finish();
    if (failed) throw output.failure(failed.replace(/^wait: /, ""));
  } catch (e) {
    if (e instanceof LineTooLong) client.destroy();
    throw e;
  }
}

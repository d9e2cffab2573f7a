import * as pulumi from "@pulumi/pulumi";
import { createHmac } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import type { Migration } from "../config";
import { reached } from "../survey/phase";
import { awaited } from "../survey/awaited";
import { rolesThatMove } from "../survey/estimates";
import { positionOf } from "../survey/position";
import { storageAt } from "../survey/storage-position";
import type { Seen, Span } from "../survey/finding";
import type { Raw } from "../survey/raw";
import { moving, namesOf } from "../survey/records";
import { otherNames, webDomain } from "../survey/facts";
import { lookUpRecords } from "./dns";
import { bootSeconds, patiently } from "./patience";
import { lookUpTarget, type Made } from "./server";
import { runOver, type SshServer } from "./ssh";

export interface Survey extends Seen {
  /** This machine's round trip to the source. */
  ownRttMs: number;
  /** The target as it was found; undefined where there is none yet. */
  there?: SshServer & { hostKey: string };
  /** What the cloud has of this migration. */
  made: Made;
}

interface Answer {
  raw?: Raw;
  hostKey: string;
  asked: Span;
  rttMs: number;
  problem?: string;
}

/** Reads both servers and the zone, and changes nothing. */
export async function survey(migration: Migration): Promise<Survey> {
  const common = {
    ...{ salt: saltOf(migration), ...migration.mastodon, domain: migration.domain },
    // Row by row takes its time; it is worth it only where media are to move.
    mediaRows: migration.storage !== undefined,
  };
  const [s, { server: there, made, answer: t }] = await patiently(
    () => Promise.all([lookAtSource(migration, common), lookAtTarget(migration, common)]),
    ([{ raw: source, problem }, { answer }]) =>
      awaited({
        ...{ migration, source, target: answer?.raw },
        unreachable: { source: problem, target: answer?.problem },
      }),
    { seconds: bootSeconds, say: (line) => pulumi.log.info(line) },
  );
  // Where the source is gone, the target knows the name too: it carries the source's settings.
  const web = [s.raw, t?.raw].map((raw) => (raw ? webDomain(raw) : "")).find(Boolean) ?? "";
  const { dns, storage } = migration;
  const fromZone = (names: string[]) =>
    asked(`${dns.provider} for the DNS records`, lookUpRecords(dns, names));
  const mediaRecords = storage ? await fromZone([storage.host]) : [];
  const at = positionOf(s.raw, t?.raw);
  const names = namesOf(dns.names, web, storage, mediaRecords);
  const others = dns.names.length ? [] : [s.raw, t?.raw].flatMap((raw) => (raw ? otherNames(raw) : []));
  const records = await fromZone([...new Set([...names, ...others])]);
  const dnsMoving = moving(records, names, [migration.source.host, there?.host ?? ""]);
  return {
    migration,
    source: s.raw,
    target: t?.raw,
    unreachable: { source: s.problem, target: t?.problem },
    at,
    storageAt: storageAt(reached(at, "shift") ? t?.raw : s.raw),
    dns: dnsMoving,
    staying: records.filter((r) => r.type === "A" && r.values.length && !dnsMoving.includes(r)),
    mediaRecords,
    asked: { source: s.asked, target: t?.asked ?? s.asked },
    ownRttMs: s.rttMs,
    there: there && t?.raw && { ...there, hostKey: t.hostKey },
    made,
  };
}

/** The same in each run, so that a later one can tell whether a variable has changed; nobody else can make it. */
function saltOf({ key }: Migration): string {
  return createHmac("sha256", key.private).update("the survey's salt").digest("hex");
}

function lookAtSource(migration: Migration, settings: Record<string, unknown>): Promise<Answer> {
  const { source, key } = migration;
  const server = { ...source, side: "source", privateKey: key.private, pinned: source };
  return look(server, { side: "source", ...settings, walRateOf: rolesThatMove(migration) });
}

async function lookAtTarget(
  migration: Migration,
  settings: Record<string, unknown>,
): Promise<{ server?: SshServer; made: Made; answer?: Answer }> {
  const { source, target } = migration;
  const { server, made } = await asked(`${target.provider} for the target`, lookUpTarget(migration));
  const peer = `${source.host}:${source.port}`;
  const own = { side: "target", ...settings, peer, walRateOf: [] };
  return { server, made, answer: server && (await look(server, own)) };
}

/** A cloud's answer, or a sentence that says what to check. */
async function asked<T>(what: string, answer: Promise<T>): Promise<T> {
  return answer.catch((e: Error) => {
    const why = e.message.replace(/^.*returned an error: /s, "");
    const busy = /\b(429|5\d\d)\b|rate.?limit|time.?out|deadline|reset by peer|ECONN/i.test(why);
    const remedy = busy
      ? "Its own trouble, most likely: run again in some minutes"
      : "Check its token and run again";
    throw new pulumi.RunError(`could not ask ${what}: ${why}. ${remedy}; nothing has been changed`);
  });
}

/** Looks at a server, and once more where it was too slow to tell everything: a gap may look like a fault. */
async function look(server: SshServer, settings: Record<string, unknown>): Promise<Answer> {
  const first = await lookOnce(server, settings);
  const slow = first.raw?.unread.some((u) => /took longer/.test(u.why));
  return slow ? lookOnce(server, settings) : first;
}

/** Runs the survey's script on a server, from stdin: not even a file is left there. */
async function lookOnce(server: SshServer, settings: Record<string, unknown>): Promise<Answer> {
  const sudo = server.user === "root" ? "" : "sudo -n ";
  const fromMs = Date.now();
  try {
    const a = await runOver(server, `${sudo}python3 -`, await surveyScript(settings), 30_000);
    if (a.code !== 0) throw new Error(failed(server, a.code, a.stderr));
    return { raw: JSON.parse(a.stdout) as Raw, hostKey: a.hostKey, asked: since(fromMs), rttMs: a.rttMs };
  } catch (e) {
    return { hostKey: "", asked: since(fromMs), rttMs: 0, problem: (e as Error).message };
  }
}

/** The survey's main file with its settings and with the text of the modules that it imports. */
export async function surveyScript(settings: Record<string, unknown>): Promise<string> {
  const folder = path.join(__dirname, "..", "scripts");
  const modules: Record<string, string> = {};
  modules["keys"] = await readFile(path.join(folder, "media/keys.py"), "utf8");
  for (const part of ["lib", "survey"])
    for (const file of await readdir(path.join(folder, part)))
      if (file.endsWith(".py"))
        modules[path.parse(file).name] = await readFile(path.join(folder, part, file), "utf8");
  const { survey: main, ...others } = modules;
  return `${pythonValue("SETTINGS", settings)}${pythonValue("MODULES", others)}${main}`;
}

/** A JSON text within a JSON string is a Python string too. */
function pythonValue(name: string, value: unknown): string {
  return `${name} = __import__("json").loads(${JSON.stringify(JSON.stringify(value))})\n`;
}

function since(fromMs: number): Span {
  return { fromMs, toMs: Date.now() };
}

function failed(server: SshServer, code: number | null, stderr: string): string {
  const where = `the ${server.side} ${server.host}`;
  if (code === 127 || /python3: (command )?not found/.test(stderr))
    return `${where} has no python3: apt-get install python3-minimal there`;
  if (/sudo: /.test(stderr))
    return `${where}: ${server.user} may not run sudo without a password: allow it in sudoers, or take root`;
  return `${where}: the survey failed (status ${code}): ${stderr.trim().split("\n").slice(-3).join(" | ")}`;
}

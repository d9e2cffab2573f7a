/** The runbook: a migration from survey to retire, in order, and backwards. */
import { Access } from "./components/access";
import { announce } from "./components/announce";
import { App } from "./components/app";
import { Backup } from "./components/backup";
import { Base } from "./components/base";
import { MediaBucket } from "./components/bucket";
import { MediaCdn } from "./components/cdn";
import { chain, type Link } from "./components/chain";
import { Database } from "./components/database";
import { Dns } from "./components/dns";
import { Feeds } from "./components/feeds";
import { gate } from "./components/gate";
import { type Ground, ground } from "./components/ground";
import { keptMedia, madeAs } from "./components/kept-media";
import { Media } from "./components/media";
import { outputs } from "./components/outputs";
import { Pooler } from "./components/pooler";
import { Redis } from "./components/redis";
import { Retire } from "./components/retire";
import { Sidekiq } from "./components/sidekiq";
import { Storage } from "./components/storage";
import { storageGate } from "./components/storage-gate";
import { storageSettings } from "./components/storage-settings";
import { type Survey, survey } from "./components/survey";
import { Switchover } from "./components/switchover";
import { Tunnel } from "./components/tunnel";
import { takeTurn } from "./components/turn";
import { Web } from "./components/web";
import { readConfig } from "./config";
import { reached } from "./survey/phase";

export = async () => {
  const migration = readConfig();
  const mine = await takeTurn(migration);

  // Read both servers and say what was found; an error ends the run here, before anything exists.
  const seen = await survey(migration);
  if (!mine) await takeTurn(migration); // the survey waits for a source that is booting
  const findings = await announce(seen);
  const phases = [migration.phase, seen.at, migration.storage?.phase ?? "survey", seen.storageAt];
  if (phases.every((p) => p === "survey")) return outputs(seen, findings, [], await keptMedia(migration));

  const base = await ground(seen);
  const media = mediaMove(seen, base);
  const server = serverMove(seen, base);
  // Forward the media go first, and the server moves without them; backward it is the other way round.
  const back = !reached(migration.phase, seen.at);
  const moves = back ? [...server.links, ...media.links] : [...media.links, ...server.links];
  chain([...server.first, base.source, base.target, ...media.first, ...moves]);
  return outputs(seen, findings, [...media.links, ...server.links], { ...server.outputs, ...media.outputs });
};

type Move = { first: Link[]; links: (Link | undefined)[]; outputs: Record<string, unknown> };
const nothing: Move = { first: [], links: [], outputs: {} };

/** The media, from the disk to a bucket behind a host name of their own. */
function mediaMove({ migration, storageAt: at, mediaRecords: found }: Survey, base: Ground): Move {
  const { storage, domain, dns } = migration;
  if (!storage) return nothing;
  const { mediaStage: stage } = base;
  const used = reached(storage.phase, "switch") || reached(at, "switch");
  const bucket = new MediaBucket("bucket", { storage, domain, used });
  const webDomain = stage.settings["WEB_DOMAIN"] ?? domain;
  const cdn = new MediaCdn("cdn", {
    ...{ storage, dns, bucket, webDomain, found, used },
    adopting: at === "survey",
    foundRecords: base.foundRecords,
  });
  const settings = storageSettings(bucket, storage, migration);
  const { steps } = new Storage("storage", {
    ...{ stage, settings },
    gate: storageGate({ stage, settings, leadDays: storage.leadDays }),
  });
  const links = reached(storage.phase, at) ? steps : [...steps].reverse();
  return { first: [bucket, cdn], links, outputs: { mediaRecord: cdn.record, mediaMade: madeAs(storage) } };
}

/** The server: the app first, then the data, then the names. */
function serverMove(seen: Survey, base: Ground): Move {
  const { migration } = seen;
  if (migration.target.provider === "none") return nothing;
  const { source, carryRedis, deadlineMs, drainSeconds, slotKeepMiB, copyRateMiB: rateMiB } = migration;
  const { stage, addresses, original, latest } = base;
  const access = new Access("access", { stage, user: source.user, granted: seen.source?.trunkline.keys });
  const reader = { readKey: access.readKey, source };
  const host = new Base("host", { stage });
  const app = new App("app", {
    ...{ stage, reader, latest, rateMiB, app: migration.app },
    gate: gate({ stage, before: "shift", carryRedis }),
  });
  const database = new Database("database", { stage, slotKeepMiB, rateMiB });
  const { replicationPassword, appPassword } = database;
  const tunnel = new Tunnel("tunnel", { stage, privateKey: access.tunnelKey, source });
  const pooler = new Pooler("pooler", { stage, appPassword });
  const redis = new Redis("redis", { stage, carry: carryRedis });
  const media = new Media("media", { stage, reader, rateMiB });
  const sidekiq = new Sidekiq("sidekiq", { stage, drainSeconds });
  const switchover = new Switchover("switchover", {
    ...{ stage, replicationPassword, appPassword, deadlineMs, drainSeconds, carryRedis },
    sourcePort: source.port,
    gate: gate({ stage, before: "switch", carryRedis }),
  });
  const dns = new Dns("dns", {
    stage,
    dns: migration.dns,
    found: seen.dns,
    original,
    source: source.host,
    target: addresses,
  });
  const web = new Web("web", { stage, reader, latest, namesStay: dns.adopting });
  const backup = new Backup("backup", { stage });
  const feeds = carryRedis ? undefined : new Feeds("feeds", { stage });
  const retire = new Retire("retire", { stage });

  const steps = [
    // prepare: the target is made ready beside the source, which notices nothing
    ...[access.grant, host.base, app.tree, app.secrets, web.certificates, web.site],
    // replicate: the target follows the source
    ...[database.publish, switchover.agent, tunnel.up, database.standby, database.check],
    ...[pooler.up, redis.replica, media.copy, media.follow, app.prove],
    // shift: the target serves, with the source's data
    ...[app.serve, sidekiq.quiet, web.proxy, media.finish, sidekiq.run, app.stop],
    // switch: the data move, then the names
    ...[switchover.run, switchover.check, ...(dns.adopting ? [] : [dns]), dns.wait],
    // settle: backups, proven, and certificates renewed here; retire: the old server's end
    ...[backup.run, backup.prove, web.renewal, feeds?.build, retire.source],
  ];
  const links = reached(migration.phase, seen.at) ? steps : steps.reverse();
  return { first: dns.adopting ? [dns] : [], links, outputs: { target: addresses.address } };
}

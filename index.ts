/** The runbook: a migration from survey to retire, in order, and backwards. */
import { Access } from "./components/access";
import { announce } from "./components/announce";
import { App } from "./components/app";
import { Backup } from "./components/backup";
import { Base } from "./components/base";
import { chain } from "./components/chain";
import { Database } from "./components/database";
import { Dns } from "./components/dns";
import { Feeds } from "./components/feeds";
import { gate } from "./components/gate";
import { ground } from "./components/ground";
import { Media } from "./components/media";
import { outputs } from "./components/outputs";
import { Pooler } from "./components/pooler";
import { Redis } from "./components/redis";
import { Retire } from "./components/retire";
import { Sidekiq } from "./components/sidekiq";
import { survey } from "./components/survey";
import { Switchover } from "./components/switchover";
import { Tunnel } from "./components/tunnel";
import { Web } from "./components/web";
import { readConfig } from "./config";
import { reached } from "./survey/phase";

export = async () => {
  const migration = readConfig();
  const { phase, carryRedis, deadlineMs, drainSeconds, slotKeepMiB, copyRateMiB: rateMiB } = migration;
  const sourceHostKey = migration.source.hostKey;

  // Read both servers and say what was found; an error ends the run here, before anything exists.
  const seen = await survey(migration);
  const findings = await announce(seen);
  if (phase === "survey" && seen.at === "survey") return outputs(seen, findings, []);

  const { stage, source, target, addresses, original } = ground(seen);
  const access = new Access("access", { stage });
  const reader = { readKey: access.readKey, sourceHostKey };
  const host = new Base("host", { stage });
  const app = new App("app", { stage, reader, rateMiB, gate: gate({ stage, before: "shift", carryRedis }) });
  const web = new Web("web", { stage, reader });
  const database = new Database("database", { stage, slotKeepMiB });
  const { replicationPassword, appPassword } = database;
  const tunnel = new Tunnel("tunnel", { stage, privateKey: access.tunnelKey, sourceHostKey });
  const pooler = new Pooler("pooler", { stage, appPassword });
  const redis = new Redis("redis", { stage, carry: carryRedis });
  const media = new Media("media", { stage, reader, rateMiB });
  const sidekiq = new Sidekiq("sidekiq", { stage, drainSeconds });
  const switchover = new Switchover("switchover", {
    ...{ stage, replicationPassword, appPassword, deadlineMs, drainSeconds, carryRedis },
    gate: gate({ stage, before: "switch", carryRedis }),
  });
  const dns = new Dns("dns", { stage, dns: migration.dns, found: seen.dns, original, target: addresses });
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
    // settle: backups, proven; retire: the old server's end
    ...[backup.run, backup.prove, feeds?.build, retire.source],
  ];
  const back = !reached(phase, seen.at);
  chain([...(dns.adopting ? [dns] : []), source, target, ...(back ? steps.reverse() : steps)]);
  return outputs(seen, findings, steps, addresses.address);
};

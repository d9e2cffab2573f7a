import { Lab } from "../lab";
import type { Contender } from "./contender";
import { byHand } from "./contenders/byhand";
import { ours } from "./contenders/ours";
import { patroni } from "./contenders/patroni";
import { repmgr } from "./contenders/repmgr";
import { load, measureSwitch, summary, type Switch } from "./measure";
import type { Options } from "./options";
import { type Results, say } from "./results";
import { Site } from "./site";
import { versions } from "./versions";

/** Our switchover there and back, as often as asked for, at each round trip; all on the same two hosts. */
export async function measurePauses(o: Options): Promise<Partial<Results>> {
  const lab = await Lab.start();
  const site = await Site.boot(lab);
  await ours.setup(site);
  const pauses: NonNullable<Results["pauses"]> = [];
  for (const rttMs of o.rtts) {
    await lab.setRtt(rttMs);
    const [there, back]: [Switch[], Switch[]] = [[], []];
    for (let n = 1; n <= o.runs; n++) {
      there.push(await told(`there ${n} of ${o.runs}`, site, ours, "target", rttMs));
      back.push(await told(`back ${n} of ${o.runs}`, site, ours, "source", rttMs));
    }
    const measured = (switches: Switch[]) => ({ summary: summary(switches), switches });
    pauses.push({ rttMs, there: measured(there), back: measured(back) });
  }
  const found = await versions(site.target);
  await lab.stop();
  return { pauses, load, versions: found };
}

const contenders = [ours, byHand, repmgr, patroni];

/** Every contender on hosts of its own from one image, under the same load; only the way there is measured. */
export async function measurePeers(o: Options): Promise<Partial<Results>> {
  const lab = await Lab.start();
  const peers: NonNullable<Results["peers"]> = [];
  let found: Record<string, string> = {};
  for (const contender of chosen(o.peers)) {
    await lab.setRtt(0);
    const site = await Site.boot(lab, contender);
    say(`${contender.name}: setting up`);
    await contender.setup(site);
    for (const rttMs of o.peerRtts) {
      await lab.setRtt(rttMs);
      const switches = await several(site, contender, rttMs, o.peerRuns);
      peers.push({ name: contender.name, how: contender.how, rttMs, summary: summary(switches), switches });
    }
    found = { ...found, ...(await versions(site.target)) };
    await site.leave();
  }
  await lab.stop();
  return { peers, load, versions: found };
}

function chosen(names: string[]): Contender[] {
  const asked = names.map((n) => n.toLowerCase());
  return contenders.filter((c) => !asked.length || asked.includes(c.name.toLowerCase()));
}

async function several(site: Site, contender: Contender, rttMs: number, runs: number): Promise<Switch[]> {
  const switches: Switch[] = [];
  for (let n = 1; n <= runs; n++) {
    switches.push(await told(`${n} of ${runs}`, site, contender, "target", rttMs));
    await (contender.reset ? contender.reset(site) : contender.switchTo(site, "source"));
  }
  return switches;
}

async function told(
  what: string,
  site: Site,
  contender: Contender,
  side: "source" | "target",
  rttMs: number,
): Promise<Switch> {
  const s = await measureSwitch(site, contender, side, rttMs);
  const own = s.pauseMs === undefined ? "" : ` (it says ${s.pauseMs} ms)`;
  const steps = Object.entries(s.steps ?? {}).map(([name, ms]) => `${name} ${ms}`);
  say(
    `${contender.name} at ${rttMs} ms, ${what}: silence ${s.silenceMs} ms${own}, longest wait ${s.waitMs} ms, ` +
      `${s.failed} failed, ${s.lost} lost, ${s.duplicated} duplicated, ${s.writesPerSecond} writes/s, ${s.seconds} s` +
      (steps.length ? `; ${steps.join(", ")}` : ""),
  );
  return s;
}

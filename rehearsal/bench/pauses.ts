import { Lab } from "../lab";
import type { Contender } from "./contender";
import { byHand } from "./contenders/byhand";
import { ours } from "./contenders/ours";
import { patroni } from "./contenders/patroni";
import { repmgr } from "./contenders/repmgr";
import { measureSwitch, summary, type Switch } from "./measure";
import type { Options } from "./options";
import type { Keep } from "./part";
import { type Pauses, type Peer, say } from "./results";
import { Site } from "./site";
import { versions } from "./versions";

/** Our switchover there and back, as often as asked for, at each round trip; all on the same two hosts. */
export async function measurePauses(o: Options, keep: Keep): Promise<void> {
  const lab = await Lab.start();
  const site = await Site.boot(lab);
  await ours.setup(site);
  const found = { pauses: [] as Pauses[], versions: await versions(site.target) };
  for (const rttMs of o.rtts) {
    await lab.setRtt(rttMs);
    const [there, back]: [Switch[], Switch[]] = [[], []];
    for (let n = 1; n <= o.runs; n++) {
      there.push(await told(`there ${n} of ${o.runs}`, site, ours, "target", rttMs));
      back.push(await told(`back ${n} of ${o.runs}`, site, ours, "source", rttMs));
      keep({ ...found, pauses: [...found.pauses, { rttMs, there: measured(there), back: measured(back) }] });
    }
    found.pauses.push({ rttMs, there: measured(there), back: measured(back) });
  }
  await lab.stop();
}

const measured = (switches: Switch[]) => ({ summary: summary(switches), switches });
const contenders = [ours, byHand, repmgr, patroni];

/** Every contender on hosts of its own from one image, under the same load; only the way there is measured. */
export async function measurePeers(o: Options, keep: Keep): Promise<void> {
  const lab = await Lab.start();
  const found = { peers: [] as Peer[], versions: {} };
  for (const contender of contenders.filter((c) => o.peers.includes(c.name))) {
    await lab.setRtt(0);
    const site = await Site.boot(lab, contender);
    say(`${contender.name}: setting up`);
    await contender.setup(site);
    Object.assign(found.versions, await versions(site.target));
    const { name, how } = contender;
    for (const rttMs of o.peerRtts) {
      await lab.setRtt(rttMs);
      const so = (switches: Switch[]) => ({ name, how, rttMs, ...measured(switches) });
      const more = (switches: Switch[]) => keep({ ...found, peers: [...found.peers, so(switches)] });
      found.peers.push(so(await several(site, contender, rttMs, o.peerRuns, more)));
    }
    await site.leave();
  }
  await lab.stop();
}

async function several(
  site: Site,
  contender: Contender,
  rttMs: number,
  runs: number,
  keep: (switches: Switch[]) => void,
): Promise<Switch[]> {
  const switches: Switch[] = [];
  for (let n = 1; n <= runs; n++) {
    switches.push(await told(`${n} of ${runs}`, site, contender, "target", rttMs));
    keep(switches);
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

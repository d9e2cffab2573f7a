import type { Contender } from "../contender";
import { binFolder, dataFolder, type Site } from "../site";
import { consoleCommand, door, pointPooler, pooler, repointCommand, startPooler } from "./pgbouncer";
import { plainPrimary, plainStandby } from "./standby";

const promote = `runuser -u postgres -- ${binFolder}/pg_ctl promote -s -D ${dataFolder}`;

/** As the write-ups have it, at its best: nobody types, and the pooler is repointed instead of a web server restarted. */
export const byHand: Contender = {
  name: "by hand",
  how: "`pg_ctl promote` on the standby, then PgBouncer's new host and RELOAD, in one script; nothing keeps the old primary from writing",
  layer: false,
  door,

  async setup(site: Site) {
    await plainPrimary(site);
    await plainStandby(site);
    await startPooler(site, "source");
  },

  async switchTo(site) {
    await site.target.sh(`${promote}\n${repointCommand("target")}\n${consoleCommand("RELOAD")}`);
    return {};
  },

  /** There is no way back: the two have parted, and the standby is made anew. */
  async reset(site) {
    await pointPooler(site, "source");
    await pooler(site, "RELOAD");
    await plainStandby(site);
  },
};

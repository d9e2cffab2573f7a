import { accountByName } from "../app/actors";
import { number } from "../app/config";
import type { Row } from "../app/database";
import { feedKey, rebuild } from "../app/feeds";
import type { Instance } from "../app/instance";
import type { Parsed } from "./options";
import { fail, say } from "./say";

interface Id extends Row {
  id: string;
}

/** Who was here in the last USER_ACTIVE_DAYS. */
const active = (i: Instance) =>
  i.db.rows<Id>(
    `SELECT a.id FROM accounts a JOIN users u ON u.account_id = a.id
     WHERE u.current_sign_in_at > now() - make_interval(days => $1) AND a.suspended_at IS NULL`,
    [number(i.config.env, "USER_ACTIVE_DAYS", 7)],
  );

export async function build(i: Instance, p: Parsed): Promise<void> {
  const [name] = p.args;
  if (!p.flags.all && !name) fail("No account(s) given");
  let accounts: { id: string }[];
  if (p.flags.all) accounts = await active(i);
  else {
    const account = await accountByName(i.db, name ?? "");
    accounts = account ? [account] : fail("No such account");
  }
  let done = 0;
  for (const { id } of accounts) {
    if (p.flags["skip-filled-timelines"] && (await i.redis.call<number>("ZCARD", feedKey(id)))) continue;
    if (!p.flags["dry-run"]) await rebuild(i.db, i.redis, id);
    done++;
  }
  say(p.flags.all ? `Regenerated feeds for ${done} accounts` : "OK", p);
}

export async function clear(i: Instance): Promise<void> {
  const keys = await i.redis.call<string[]>("KEYS", "feed:*");
  if (keys.length) await i.redis.call("DEL", ...keys);
  say("OK");
}

export async function vacuum(i: Instance): Promise<void> {
  const keep = new Set((await active(i)).map((a) => feedKey(a.id)));
  const gone = (await i.redis.call<string[]>("KEYS", "feed:home:*")).filter((key) => !keep.has(key));
  if (gone.length) await i.redis.call("DEL", ...gone);
  say("OK");
}

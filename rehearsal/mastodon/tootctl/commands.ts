import type { Instance } from "../app/instance";
import * as accounts from "./accounts";
import * as feeds from "./feeds";
import * as media from "./media";
import type { Option, Parsed } from "./options";
import * as orphans from "./orphans";
import * as site from "./site";

export type Run = (i: Instance, p: Parsed) => Promise<void>;
export interface Command {
  options: Record<string, Option>;
  run: Run;
  /** Names of the arguments that must be there. */
  args?: string[];
}

const number = (value: string, alias?: string): Option => ({ type: "number", default: value, alias });
const flag: Option = { type: "boolean" };
const verbose: Option = { type: "boolean", alias: "v" };
const concurrency = number("5", "c");
const string: Option = { type: "string" };

/** Every command that the stand-in has, with the options of 4.5 and no others. */
export const commands: Record<string, Command> = {
  "media remove": {
    options: {
      days: number("7", "d"),
      "prune-profiles": flag,
      "remove-headers": flag,
      "include-follows": flag,
      concurrency,
      verbose,
      "dry-run": flag,
    },
    run: media.remove,
  },
  "media refresh": {
    options: {
      status: string,
      account: string,
      domain: string,
      days: { type: "number" },
      concurrency,
      verbose,
      "dry-run": flag,
      force: flag,
    },
    run: media.refresh,
  },
  "media usage": { options: {}, run: media.usage },
  "media lookup": { options: {}, run: media.lookup, args: ["URL"] },
  "media remove-orphans": {
    options: { "start-after": string, prefix: string, "fix-permissions": flag, "dry-run": flag },
    run: orphans.removeOrphans,
  },
  "cache clear": { options: {}, run: site.cacheClear },
  "cache recount": { options: { concurrency, verbose }, run: site.recount, args: ["TYPE"] },
  "feeds build": {
    options: { all: flag, concurrency, verbose, "dry-run": flag, "skip-filled-timelines": flag },
    run: feeds.build,
  },
  "feeds clear": { options: {}, run: feeds.clear },
  "feeds vacuum": { options: {}, run: feeds.vacuum },
  "accounts create": {
    options: {
      email: string,
      confirmed: flag,
      approve: flag,
      role: string,
      reattach: flag,
      force: flag,
    },
    run: accounts.create,
    args: ["USERNAME"],
  },
  "accounts backup": { options: {}, run: accounts.backup, args: ["USERNAME"] },
  "preview_cards remove": {
    options: { days: number("180"), concurrency, verbose, "dry-run": flag, link: flag },
    run: media.removeCards,
  },
  "maintenance fix-duplicates": { options: {}, run: site.fixDuplicates },
  "search deploy": {
    options: {
      concurrency,
      "batch-size": number("100", "b"),
      only: string,
      import: flag,
      clean: flag,
      "reset-chewy": flag,
      "only-mapping": flag,
    },
    run: site.searchDeploy,
  },
  "settings registrations open": { options: {}, run: (i) => site.registrations(i, "open") },
  "settings registrations close": { options: {}, run: (i) => site.registrations(i, "none") },
  "settings registrations approved": {
    options: { "require-reason": flag },
    run: (i) => site.registrations(i, "approved"),
  },
};

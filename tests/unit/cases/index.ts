import { hosts } from "./hosts";
import { install } from "./install";
import { mastodon } from "./mastodon";
import { mediaHost } from "./media-host";
import { postgres } from "./postgres";
import { redis } from "./redis";
import { storage } from "./storage";
import { web } from "./web";
import type { Case } from "./worlds";

/** Everything that the survey can find, each in a world in which it does. */
export const cases: Case[] = [
  ...[...hosts, ...install, ...mastodon, ...postgres, ...redis, ...web],
  ...[...storage, ...mediaHost],
];

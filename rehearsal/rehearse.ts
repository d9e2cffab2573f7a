import { mkdirSync } from "node:fs";
import path from "node:path";
import { startClouds } from "./clouds";
import { pulumiCli } from "./engine/cli";
import { type Fault, faults } from "./faults";
import { ledger, writablePrimaries } from "./judge";
import { Lab, type LabHost } from "./lab";
import { installMastodon } from "./mastodon";
import type { Options } from "./options";
import { startPeople } from "./people";
import { startRemotes } from "./remotes";
import type { Report } from "./report/model";
import { Stack, type RunResult, type StackEvent } from "./stack";
import { Timeline } from "./timeline";

export const domain = "social.example";
const repository = path.dirname(__dirname);

/** Where a rehearsal tells how far it is. */
export interface Ui {
  event(e: StackEvent): void;
  phase(name: string): void;
  line(text: string): void;
}

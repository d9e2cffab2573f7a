import { remote } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { planned, type StepName } from "../survey/plan";
import { later, type Link } from "./chain";
import type { Host } from "./host";
import type { Stage } from "./stage";

/** What a step says in its last line. */
export interface StepResult {
  /** `changed` or `unchanged`; `unknown` if it printed no result. */
  outcome: string;
  [figure: string]: unknown;
}

export interface StepArgs {
  stage: Stage;
  /** Wanted in a later run only, whatever the phase. @default false */
  held?: boolean;
  /** May run again in any phase, for what somebody did to its work. @default false */
  restless?: boolean;
  /** Settings beyond those that every step gets; secrets are welcome. @default - none */
  settings?: Record<string, pulumi.Input<string>>;
  /** Runs before the step is made or changed, and may refuse. @default - none */
  gate?: pulumi.ResourceHook;
  /** Never deleted or replaced. @default false */
  protect?: boolean;
}

/**
 * One wanted state of one server: `scripts/NAME.sh` there, told by WANT whether its end should be present or
 * absent. It has no `delete`: what a migration did is undone by going back, never by destroying a stack.
 */
export class Step implements Link {
  readonly resources: remote.Command[] = [];
  readonly result: pulumi.Output<StepResult | undefined>;
  private readonly before = later();

  constructor(
    readonly name: StepName,
    args: StepArgs,
    opts: { parent: pulumi.Resource },
  ) {
    const plan = planned(name);
    const host = args.stage.host(plan.on);
    if (!host) {
      this.result = pulumi.output(undefined);
      return;
    }
    const WANT = args.held ? "absent" : args.stage.want(plan);
    const settings = { WANT, SIDE: args.stage.sideOf(plan.on), ...args.stage.settings, ...args.settings };
    const dependsOn: Promise<pulumi.Resource[]> = this.before.promise.then((b) => [...host.resources, ...b]);
    const mayRun = args.restless || args.held !== undefined || args.stage.mayMove(plan);
    const hooks = args.gate && { beforeCreate: [args.gate], beforeUpdate: [args.gate] };
    const command = new remote.Command(
      name,
      {
        ...common(host, 10),
        ...quiet,
        create: `${host.sudo}bash ${scriptsFolder}/run ${name}`,
        stdin: pulumi.secret(pulumi.output(settings).apply(encodeSettings)),
      },
      {
        ...{ parent: opts.parent, dependsOn, protect: args.protect, hooks },
        // A changed connection alone (another key, port or user, with or without sudo) would run every finished step
        // again, also where its time is long past; but what may run has to log in with the connection of today.
        // With the source retired no step of the move could run again at all.
        ignoreChanges: mayRun ? [] : ["connection", "create", ...(args.stage.retires(plan) ? ["stdin"] : [])],
      },
    );
    this.resources.push(command);
    this.result = command.stdout.apply(readResult);
  }

  follow(before: pulumi.Resource[]): void {
    this.before.settle(before);
  }
}

/** Folder on a server under which the scripts lie; the steps' commands name it, so it never changes. */
export const scriptsFolder = "/opt/trunkline/scripts";

/**
 * The scripts on a server. They are copied *into* a folder that is made first: copied to a path that may or
 * may not exist, they would land a level deeper the second time. An edited script is one visible upload, and
 * no step runs again for it.
 */
export function upload(host: Host, folder: string, triggers: string[], opts: Upload): pulumi.Resource[] {
  const made = new remote.Command(
    `${host.name}/folder`,
    {
      ...common(host, opts.patience, triggers),
      create: `${host.sudo}install -d -m 0755 -o ${host.user} ${scriptsFolder.replace(/\/[^/]*$/, "")}`,
      ...quiet,
    },
    { parent: opts.parent, dependsOn: opts.dependsOn },
  );
  const copied = new remote.CopyToRemote(
    `${host.name}/scripts`,
    {
      ...common(host, 10, triggers),
      source: new pulumi.asset.FileArchive(folder),
      remotePath: scriptsFolder.replace(/\/[^/]*$/, ""),
    },
    { parent: opts.parent, dependsOn: [made] },
  );
  return [made, copied];
}

export interface Upload {
  parent: pulumi.Resource;
  dependsOn: Promise<pulumi.Resource[]>;
  /** How many times to dial: a new server takes its time to boot. The same in each run, or it would run again. */
  patience: number;
}

/**
 * Progress goes to stderr and is shown as it happens; stdout is one line of JSON for the result. The result
 * of the last run is no setting for the next, and a long one would not fit into its environment.
 */
const quiet = { logging: "stderr", addPreviousOutputInEnv: false } as const;

/**
 * What every command needs to know. customTimeouts would be ignored by remote commands, so the scripts keep
 * the deadlines.
 */
function common(host: Host, dialErrorLimit: number, triggers: string[] = []) {
  return {
    connection: {
      host: host.address,
      port: host.port,
      user: host.user,
      privateKey: pulumi.secret(host.privateKey),
      // Without it the provider would accept any server.
      hostKey: host.hostKey,
      dialErrorLimit,
      perDialTimeout: 15,
    },
    triggers: [host.hostKey, ...triggers],
  };
}

/** One line NAME='value' each, quoted for a shell; a value may hold any byte but NUL. */
export function encodeSettings(settings: Record<string, string>): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name}='${value.replaceAll("'", "'\\''")}'\n`)
    .join("");
}

/** The result in the last line of a step's output. */
export function readResult(stdout: string | undefined): StepResult {
  const last = (stdout ?? "").trimEnd().split("\n").at(-1) ?? "";
  try {
    const result: unknown = JSON.parse(last);
    if (result && typeof result === "object" && "outcome" in result) return result as StepResult;
  } catch {
    // Falls through: no result is a result too, and the step itself did succeed.
  }
  return { outcome: "unknown" };
}

import * as pulumi from "@pulumi/pulumi";
import { getMonitor } from "@pulumi/pulumi/runtime/settings";

/** One resource as the program registered it, with the options that Pulumi's own mocks do not show. */
export interface Registered {
  type: string;
  name: string;
  /** Plain values; a secret stands as { secret: value }. */
  inputs: Record<string, unknown>;
  custom: boolean;
  parent: string;
  /** Names of the resources that it waits for, in order. */
  after: string[];
  ignoreChanges: string[];
  protect: boolean;
  retainOnDelete: boolean;
  importId: string;
  hooks: { beforeCreate: string[]; beforeUpdate: string[]; afterCreate: string[] };
}

/** Answers of the clouds to look-ups, by token. */
export type Calls = Record<string, (inputs: Record<string, unknown>) => Record<string, unknown>>;

/**
 * Runs a piece of a program against mocks and gives what it registered, in the order of registration.
 *
 * @param o.former the stack's outputs from the run before.
 */
export async function register(
  make: () => unknown,
  o: { calls?: Calls; preview?: boolean; former?: Record<string, unknown> } = {},
): Promise<Registered[]> {
  const list: Registered[] = [];
  await pulumi.runtime.setMocks(
    {
      newResource: (args) => ({ id: String(serial(args.name)), state: stateOf(args, o.former) }),
      call: (args) => {
        const answer = o.calls?.[args.token];
        if (!answer) throw new Error(`nobody expected a call of ${args.token}`);
        return answer(args.inputs as Record<string, unknown>);
      },
    },
    "trunkline",
    "test",
    o.preview ?? false,
    "organization",
  );
  watch(list);
  // A program's error, thrown there, would come up again later as one that nobody waits for.
  let failed: unknown;
  await pulumi.runtime.runInPulumiStack(async () => {
    try {
      return (await make()) as Record<string, unknown>;
    } catch (e) {
      failed = e;
      return {};
    }
  });
  await pulumi.runtime.disconnect();
  if (failed) throw failed;
  return list.filter((r) => r.type !== "pulumi:pulumi:Stack");
}

/** The steps among them, by name. */
export function steps(list: Registered[]): Registered[] {
  return list.filter((r) => r.type === "command:remote:Command");
}

export function named(list: Registered[], name: string): Registered {
  const found = list.find((r) => r.name === name);
  if (!found) throw new Error(`${name} was not registered; there is ${list.map((r) => r.name).join(", ")}`);
  return found;
}

/** How a step connects; all of it is secret, since a private key is in it. */
export function connectionOf(step: Registered): { host: string; hostKey: string; dialErrorLimit: number } {
  return (step.inputs["connection"] as { secret: ReturnType<typeof connectionOf> }).secret;
}

/** The settings that a step gets on stdin. */
export function settingsOf(step: Registered): Record<string, string> {
  const stdin = (step.inputs["stdin"] as { secret: string }).secret;
  return Object.fromEntries(
    [...stdin.matchAll(/^([A-Z_]+)='((?:[^']|'\\'')*)'$/gm)].map(([, k, v]) => [
      k,
      v?.replaceAll("'\\''", "'"),
    ]),
  );
}

interface Request {
  getType(): string;
  getName(): string;
  getCustom(): boolean;
  getParent(): string;
  getObject(): { toJavaScript(): Record<string, unknown> };
  getDependenciesList(): string[];
  getIgnorechangesList(): string[];
  getProtect(): boolean;
  getRetainondelete(): boolean;
  getImportid(): string;
  getHooks():
    Record<"getBeforeCreateList" | "getBeforeUpdateList" | "getAfterCreateList", () => string[]> | undefined;
}

/** Mocks show type, name and inputs alone; options are read from the request itself. */
function watch(list: Registered[]): void {
  type Hooks = (req: unknown, done: (e: unknown, answer: unknown) => void) => void;
  const monitor = getMonitor() as unknown as {
    registerResource(req: Request, done: unknown): Promise<void>;
    registerResourceHook?: Hooks;
    registerErrorHook?: Hooks;
  };
  monitor.registerResourceHook = monitor.registerErrorHook = (_, done) => done(null, {});
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (req, done) => {
    const hooks = req.getHooks();
    list.push({
      type: req.getType(),
      name: req.getName(),
      inputs: plain(req.getObject().toJavaScript()) as Record<string, unknown>,
      custom: req.getCustom(),
      parent: nameOf(req.getParent()),
      after: req.getDependenciesList().map(nameOf),
      ignoreChanges: req.getIgnorechangesList(),
      protect: req.getProtect(),
      retainOnDelete: req.getRetainondelete(),
      importId: req.getImportid(),
      hooks: {
        beforeCreate: hooks?.getBeforeCreateList() ?? [],
        beforeUpdate: hooks?.getBeforeUpdateList() ?? [],
        afterCreate: hooks?.getAfterCreateList() ?? [],
      },
    });
    return register(req, done);
  };
}

const secretMark = "4dabf18193072939515e22adb298388d";

function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (!value || typeof value !== "object") return value;
  const object = value as Record<string, unknown>;
  if (object[secretMark] === "1b47061264138c4ac30d75fd1eb44270") return { secret: plain(object["value"]) };
  return Object.fromEntries(Object.entries(object).map(([k, v]) => [k, plain(v)]));
}

function nameOf(urn: string): string {
  return urn.split("::").at(-1) ?? "";
}

/** What a Stash has in the state, by name: its first value, whatever it is given in later runs. */
export const stashed: Record<string, unknown> = {};

const serials = new Map<string, number>();
function serial(name: string): number {
  return serials.get(name) ?? serials.set(name, serials.size + 1).size;
}

/** What a real provider would add to the inputs, as far as the program uses it. */
function stateOf(
  { type, name, inputs }: pulumi.runtime.MockResourceArgs,
  former: Record<string, unknown> = {},
): Record<string, unknown> {
  const more: Record<string, Record<string, unknown>> = {
    "tls:index/privateKey:PrivateKey": {
      privateKeyOpenssh: `private half of ${name}`,
      publicKeyOpenssh: `ssh-ed25519 ${Buffer.from(name).toString("base64")}\n`,
    },
    "random:index/randomPassword:RandomPassword": { result: `password of ${name}` },
    "hcloud:index/server:Server": { ipv4Address: "198.18.1.10", ipv6Address: "2001:db8::10" },
    "vultr:index/instance:Instance": { mainIp: "198.18.1.10", v6MainIp: "2001:db8::10" },
    "command:remote:Command": { stdout: '{"outcome":"changed"}\n', stderr: "" },
    "pulumi:pulumi:StackReference": { outputs: former, secretOutputNames: [] },
    "pulumi:index:Stash": { output: stashed[name] ?? inputs.input },
    "aws:s3/bucket:Bucket": { arn: `arn:aws:s3:::${String(inputs.bucket)}` },
    "aws:iam/accessKey:AccessKey": { secret: "aws secret" },
    "aws:acm/certificate:Certificate": {
      arn: "arn:aws:acm:us-east-1:1:certificate/1",
      domainValidationOptions: [
        { resourceRecordName: "_a.media.social.example.", resourceRecordValue: "_b.acm-validations.aws." },
      ],
    },
    "aws:cloudfront/distribution:Distribution": { domainName: "d1.cloudfront.net" },
    "cloudflare:index/accountToken:AccountToken": { value: "token value" },
    "stores:b2:Bucket": {
      ...{
        bucketId: "b2-id",
        endpoint: "https://s3.eu-central-003.backblazeb2.com",
        region: "eu-central-003",
      },
    },
    "stores:b2:Key": { applicationKey: "b2 secret" },
    "stores:bunny:PullZone": { hostname: "media-social-example.b-cdn.net" },
  };
  return { ...inputs, ...more[type] };
}

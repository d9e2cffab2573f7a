/** A provider plugin as the engine meets it: the stand-in, or the official one where it is installed. */
import "./loopback";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import * as grpc from "@grpc/grpc-js";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { EngineService } from "@pulumi/pulumi/proto/engine_grpc_pb";
import type { LogRequest } from "@pulumi/pulumi/proto/engine_pb";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as rpc from "@pulumi/pulumi/proto/provider_pb";
import {
  fromStruct,
  markSecrets,
  plainProps,
  secretKeys,
  toStruct,
  type Props,
} from "../../rehearsal/clouds/values";

/** A plugin of the official kind in the Pulumi home, if there is one. */
export function official(name: string, version: string): string | undefined {
  const home = process.env["PULUMI_HOME"] ?? path.join(homedir(), ".pulumi");
  const file = path.join(home, "plugins", `resource-${name}-v${version}`, `pulumi-resource-${name}`);
  return existsSync(file) ? file : undefined;
}

export interface Line {
  message: string;
  ephemeral: boolean;
}

/** An engine's ear. */
class Engine {
  readonly lines: Line[] = [];
  private readonly server = new grpc.Server();

  async listen(): Promise<string> {
    this.server.addService(EngineService as unknown as grpc.ServiceDefinition, {
      log: (call: grpc.ServerUnaryCall<LogRequest, Empty>, done: grpc.sendUnaryData<Empty>) => {
        this.lines.push({ message: call.request.getMessage(), ephemeral: call.request.getEphemeral() });
        done(null, new Empty());
      },
    });
    const credentials = grpc.ServerCredentials.createInsecure();
    const port = await new Promise<number>((resolve, reject) =>
      this.server.bindAsync("127.0.0.1:0", credentials, (e, bound) => (e ? reject(e) : resolve(bound))),
    );
    return `127.0.0.1:${port}`;
  }

  stop(): void {
    this.server.forceShutdown();
  }
}

type Done<T> = (error: grpc.ServiceError | null, response: T) => void;

export interface Created {
  id: string;
  outputs: Props;
  /** Names of the outputs that came marked secret. */
  secret: string[];
}

/** One connection to a provider; the verbs are the engine's. */
export class Plugin {
  private readonly engine = new Engine();
  private client!: ResourceProviderClient;
  private kill: () => void = () => undefined;

  /** Attaches to a port, or starts an executable, and configures it. */
  static async open(where: number | string, config: Props = {}): Promise<Plugin> {
    const plugin = new Plugin();
    const engine = await plugin.engine.listen();
    const port = typeof where === "number" ? where : await plugin.start(where, engine);
    plugin.client = new ResourceProviderClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
    const { client } = plugin;
    const handshake = new rpc.ProviderHandshakeRequest().setEngineAddress(engine);
    await plugin
      .call((done) => client.handshake(handshake, done))
      .catch((e: grpc.ServiceError) => {
        if (e.code !== grpc.status.UNIMPLEMENTED) throw e;
      });
    const configure = new rpc.ConfigureRequest().setAcceptsecrets(true).setSendsOldInputs(true);
    const configured = plugin.call((done) => client.configure(configure.setArgs(toStruct(config)), done));
    await configured.catch((e: Error) => {
      void plugin.close();
      throw e;
    });
    return plugin;
  }

  private async start(file: string, engine: string): Promise<number> {
    const child = spawn(file, [engine], { stdio: ["pipe", "pipe", "ignore"] });
    this.kill = () => void child.kill();
    for await (const line of createInterface(child.stdout)) return Number(line);
    throw new Error(`${file} ended without telling its port`);
  }

  private call<T>(method: (done: Done<T>) => unknown): Promise<T> {
    return new Promise((resolve, reject) => {
      method((e, response) => (e ? reject(Object.assign(e, { message: e.details })) : resolve(response)));
    });
  }

  get lines(): Line[] {
    return this.engine.lines;
  }

  private urn(type: string): string {
    return `urn:pulumi:test::test::${type}::thing`;
  }

  /** The arguments as Check gives them back; an error for those that it refuses. */
  async checked(type: string, news: Props): Promise<Props> {
    const request = new rpc.CheckRequest()
      .setUrn(this.urn(type))
      .setNews(toStruct(news))
      .setType(type)
      .setName("thing");
    const response = await this.call<rpc.CheckResponse>((done) => this.client.check(request, done));
    const failures = response.getFailuresList().map((f) => `${f.getProperty()}: ${f.getReason()}`);
    if (failures.length) throw new Error(failures.join("; "));
    return fromStruct(response.getInputs());
  }

  async create(
    type: string,
    inputs: Props,
    o: { preview?: boolean; secrets?: string[]; timeout?: number } = {},
  ): Promise<Created> {
    const news = await this.checked(type, markSecrets(inputs, o.secrets ?? []));
    const request = new rpc.CreateRequest()
      .setUrn(this.urn(type))
      .setProperties(toStruct(news))
      .setType(type);
    request
      .setName("thing")
      .setPreview(o.preview ?? false)
      .setTimeout(o.timeout ?? 0);
    const response = await this.call<rpc.CreateResponse>((done) => this.client.create(request, done));
    const outputs = fromStruct(response.getProperties());
    return { id: response.getId(), outputs: plainProps(outputs), secret: [...secretKeys(outputs)].sort() };
  }

  async diff(
    type: string,
    olds: Props,
    news: Props,
    ignore: string[] = [],
  ): Promise<{ changed: string[]; replaces: string[] }> {
    const request = new rpc.DiffRequest().setUrn(this.urn(type)).setType(type).setName("thing").setId("id");
    request
      .setOldInputs(toStruct(olds))
      .setOlds(toStruct(olds))
      .setNews(toStruct(news))
      .setIgnorechangesList(ignore);
    const response = await this.call<rpc.DiffResponse>((done) => this.client.diff(request, done));
    const changed = [...response.getDetaileddiffMap().keys()].sort();
    return { changed, replaces: response.getReplacesList() };
  }

  async update(type: string, old: Created & { inputs: Props }, inputs: Props): Promise<Props> {
    const request = new rpc.UpdateRequest()
      .setUrn(this.urn(type))
      .setId(old.id)
      .setType(type)
      .setName("thing");
    request.setOlds(toStruct(old.outputs)).setOldInputs(toStruct(old.inputs)).setNews(toStruct(inputs));
    const response = await this.call<rpc.UpdateResponse>((done) => this.client.update(request, done));
    return plainProps(fromStruct(response.getProperties()));
  }

  /** Reads by id alone, as an import does. */
  async import(type: string, id: string): Promise<{ id: string; inputs: Props }> {
    const request = new rpc.ReadRequest().setUrn(this.urn(type)).setId(id).setType(type).setName("thing");
    const response = await this.call<rpc.ReadResponse>((done) => this.client.read(request, done));
    return { id: response.getId(), inputs: plainProps(fromStruct(response.getInputs())) };
  }

  async delete(type: string, id: string, outputs: Props): Promise<void> {
    const request = new rpc.DeleteRequest().setUrn(this.urn(type)).setId(id).setType(type).setName("thing");
    await this.call((done) =>
      this.client.delete(request.setProperties(toStruct(outputs)).setOldInputs(toStruct(outputs)), done),
    );
  }

  async invoke(token: string, args: Props): Promise<Props> {
    const request = new rpc.InvokeRequest().setTok(token).setArgs(toStruct(args));
    const response = await this.call<rpc.InvokeResponse>((done) => this.client.invoke(request, done));
    return plainProps(fromStruct(response.getReturn()));
  }

  /** What the engine sends at Ctrl-C, and at every normal end. */
  cancel(): Promise<Empty> {
    return this.call<Empty>((done) => this.client.cancel(new Empty(), done));
  }

  async close(): Promise<void> {
    await this.cancel().catch(() => undefined);
    this.client.close();
    this.engine.stop();
    this.kill();
  }
}

/** The ports of a stand-in, by package. */
export function portsOf(env: Record<string, string>): Record<string, number> {
  const pairs = (env["PULUMI_DEBUG_PROVIDERS"] ?? "").split(",").map((p) => p.split(":") as [string, string]);
  return Object.fromEntries(pairs.map(([name, port]) => [name, Number(port)]));
}

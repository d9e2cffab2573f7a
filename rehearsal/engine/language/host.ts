/**
 * A stand-in for pulumi-language-nodejs, used only where the vendor's is not installed.
 *
 * It runs an ordinary Node.js project for `pulumi preview`, `up` and the like. It says that a program requires no
 * packages, so the engine installs nothing ahead of time: providers must be attached (PULUMI_DEBUG_PROVIDERS) or be
 * installed already. Generating code, installing dependencies, debugging and bun are refused as not implemented.
 */
import { execFileSync } from "node:child_process";
import * as grpc from "@grpc/grpc-js";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { LanguageRuntimeService } from "@pulumi/pulumi/proto/language_grpc_pb";
import * as rpc from "@pulumi/pulumi/proto/language_pb";
import { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import { Program } from "./program";

/** The vendor's host is released with the CLI, under its version; this one follows it. */
const { devDependencies } = require("../../../package.json") as { devDependencies: { pulumi: string } };
const VERSION = devDependencies.pulumi;

type Handler<Req, Res> = (request: Req) => Res | Promise<Res>;

/** A gRPC method from a plain function: what it throws becomes the call's error. */
function unary<Req, Res>(handler: Handler<Req, Res>): grpc.handleUnaryCall<Req, Res> {
  return (call, callback) => {
    Promise.resolve()
      .then(() => handler(call.request))
      .then(
        (response) => callback(null, response),
        (e: Error) => callback({ code: grpc.status.UNKNOWN, details: e.message }),
      );
  };
}

/** Says which method was asked for, as a server that has never heard of it would. */
function unimplemented(method: string): grpc.handleUnaryCall<unknown, unknown> {
  return (_call, callback) =>
    callback({
      code: grpc.status.UNIMPLEMENTED,
      details: `the stand-in nodejs language host has no ${method}`,
    });
}

class LanguageHost {
  private readonly running = new Set<Program>();

  constructor(private engine: string) {}

  /** Every method of the service; those not written here answer UNIMPLEMENTED. */
  methods(): grpc.UntypedServiceImplementation {
    const served: grpc.UntypedServiceImplementation = {
      handshake: unary((r: rpc.LanguageHandshakeRequest) => {
        this.engine = r.getEngineAddress() || this.engine;
        return new rpc.LanguageHandshakeResponse();
      }),
      getPluginInfo: unary(() => new PluginInfo().setVersion(VERSION)),
      getRequiredPackages: unary(() => new rpc.GetRequiredPackagesResponse()),
      getRequiredPlugins: unary(() => new rpc.GetRequiredPluginsResponse()),
      getProgramDependencies: unary(() => new rpc.GetProgramDependenciesResponse()),
      runtimeOptionsPrompts: unary(() => new rpc.RuntimeOptionsResponse()),
      about: unary(() => new rpc.AboutResponse().setExecutable(process.execPath).setVersion(nodeVersion())),
      run: (
        call: grpc.ServerUnaryCall<rpc.RunRequest, rpc.RunResponse>,
        done: grpc.sendUnaryData<rpc.RunResponse>,
      ) => this.run(call, done),
      cancel: unary(() => {
        this.interrupt();
        return new Empty();
      }),
    };
    const all = Object.keys(LanguageRuntimeService).map((name) => [
      name,
      served[name] ?? unimplemented(name),
    ]);
    return Object.fromEntries(all);
  }

  private async run(
    call: grpc.ServerUnaryCall<rpc.RunRequest, rpc.RunResponse>,
    done: grpc.sendUnaryData<rpc.RunResponse>,
  ): Promise<void> {
    const program = new Program(call.request, this.engine);
    this.running.add(program);
    call.on("cancelled", () => program.interrupt());
    try {
      const { error, bail } = await program.run();
      done(null, new rpc.RunResponse().setError(error).setBail(bail));
    } catch (e) {
      done(null, new rpc.RunResponse().setError((e as Error).message));
    } finally {
      this.running.delete(program);
    }
  }

  interrupt(): void {
    for (const program of this.running) program.interrupt();
  }

  kill(): void {
    for (const program of this.running) program.kill();
  }
}

function nodeVersion(): string {
  return execFileSync("node", ["--version"], { encoding: "utf8" }).trim();
}

/** Ends with the engine: a killed engine sends no Cancel, and its programs must not live on. */
function endWith(parent: number, stop: () => void): void {
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    stop();
  }, 500);
  watch.unref();
}

function main(): void {
  const engine = process.argv.slice(2).find((arg) => !arg.startsWith("-")) ?? "";
  if (process.argv.includes("--version") || process.argv.includes("-version")) {
    console.log(VERSION);
    return;
  }
  const host = new LanguageHost(engine);
  const server = new grpc.Server({
    "grpc.max_receive_message_length": 400 << 20,
    "grpc.max_send_message_length": 400 << 20,
  });
  const service = LanguageRuntimeService as unknown as grpc.ServiceDefinition;
  server.addService(service, host.methods());
  server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
    if (error) throw error;
    console.log(port);
  });
  const stop = (): void => {
    host.interrupt();
    server.tryShutdown(() => process.exit(0));
    setTimeout(() => process.exit(1), 6_000).unref();
  };
  // With the engine goes whoever reads what we write; a program must not outlive us for that.
  for (const end of [process.stdout, process.stderr]) end.on("error", () => undefined);
  process.on("exit", () => host.kill());
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  endWith(process.ppid, stop);
}

main();

/** A Pulumi provider over gRPC for one package; several live in one process, each on its own port. */
import * as grpc from "@grpc/grpc-js";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { PluginInfo, type PluginAttach } from "@pulumi/pulumi/proto/plugin_pb";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as rpc from "@pulumi/pulumi/proto/provider_pb";
import { Operations } from "./operations";
import type { Package } from "./resource";
import { Session } from "./session";
import { fromStruct, plainProps, toStruct, type Props } from "./values";

export interface Served {
  port: number;
  stop(): Promise<void>;
}

const MAX_MESSAGE = 400 << 20;

type Handler<Req, Res> = (request: Req, session: Session) => Res | Promise<Res>;

class Provider {
  private readonly sessions = new Map<string, Session>();
  private readonly operations: Operations;
  /** For a connection that comes back on another port: the engine does not configure it again. */
  private lastConfig: Props = {};

  constructor(
    private readonly pkg: Package,
    private readonly directory: string,
  ) {
    this.operations = new Operations(pkg);
  }

  /** Two engines may use one stand-in at once; a connection's peer address tells them apart. */
  private session(peer: string): Session {
    const found = this.sessions.get(peer);
    if (found) return found;
    const session = new Session(this.directory);
    session.config = this.lastConfig;
    this.sessions.set(peer, session);
    return session;
  }

  /** Ends every session, as when the plugin's process ends. */
  end(): void {
    for (const session of this.sessions.values()) session.end();
    this.sessions.clear();
  }

  private method<Req, Res>(handler: Handler<Req, Res>): grpc.handleUnaryCall<Req, Res> {
    return (call, callback) => {
      const session = this.session(call.getPeer());
      let answered = false;
      // grpc-js says "cancelled" at the end of every call; only an unanswered one has lost its engine.
      call.on("cancelled", () => answered || session.gone());
      const answer: grpc.sendUnaryData<Res> = (error, response) => {
        answered = true;
        callback(error, response);
      };
      session
        .during(async () => handler(call.request, session))
        .then(
          (response) => answer(null, response),
          (e: Error) => answer({ code: grpc.status.UNKNOWN, details: e.message }),
        );
    };
  }

  methods(): grpc.UntypedServiceImplementation {
    const ops = this.operations;
    const served: grpc.UntypedServiceImplementation = {
      ...this.lifecycle(),
      check: this.method((r: rpc.CheckRequest) => ops.check(r)),
      diff: this.method((r: rpc.DiffRequest) => ops.diff(r)),
      create: this.method((r: rpc.CreateRequest, s) => ops.create(r, s)),
      read: this.method((r: rpc.ReadRequest, s) => ops.read(r, s)),
      update: this.method((r: rpc.UpdateRequest, s) => ops.update(r, s)),
      delete: this.method((r: rpc.DeleteRequest, s) => ops.delete(r, s).then(() => new Empty())),
      invoke: this.method((r: rpc.InvokeRequest, s) => this.invoke(r, s)),
    };
    const missing = (name: string): grpc.handleUnaryCall<unknown, unknown> => {
      const details = `the stand-in ${this.pkg.name} provider has no ${name}`;
      return (_call, callback) => callback({ code: grpc.status.UNIMPLEMENTED, details });
    };
    return Object.fromEntries(Object.keys(ResourceProviderService).map((n) => [n, served[n] ?? missing(n)]));
  }

  private lifecycle(): grpc.UntypedServiceImplementation {
    return {
      handshake: this.method((r: rpc.ProviderHandshakeRequest, s) => this.handshake(r, s)),
      attach: this.method((r: PluginAttach, s) => {
        s.connect(r.getAddress());
        return new Empty();
      }),
      getPluginInfo: this.method(() => new PluginInfo().setVersion(this.pkg.version)),
      getSchema: this.method(() => {
        const schema = JSON.stringify({ name: this.pkg.name, version: this.pkg.version });
        return new rpc.GetSchemaResponse().setSchema(schema);
      }),
      checkConfig: this.method((r: rpc.CheckRequest) => new rpc.CheckResponse().setInputs(r.getNews())),
      diffConfig: this.method(() =>
        new rpc.DiffResponse().setChanges(rpc.DiffResponse.DiffChanges.DIFF_NONE),
      ),
      configure: this.method((r: rpc.ConfigureRequest, s) => this.configure(r, s)),
      cancel: (call: grpc.ServerUnaryCall<Empty, Empty>, callback: grpc.sendUnaryData<Empty>) => {
        this.session(call.getPeer()).end();
        this.sessions.delete(call.getPeer());
        callback(null, new Empty());
      },
    };
  }

  private handshake(request: rpc.ProviderHandshakeRequest, session: Session): rpc.ProviderHandshakeResponse {
    session.connect(request.getEngineAddress());
    return new rpc.ProviderHandshakeResponse().setAcceptSecrets(true);
  }

  private configure(request: rpc.ConfigureRequest, session: Session): rpc.ConfigureResponse {
    session.config = plainProps(fromStruct(request.getArgs()));
    this.pkg.configure?.(session.config);
    this.lastConfig = session.config;
    return new rpc.ConfigureResponse().setAcceptsecrets(true).setSupportspreview(true);
  }

  private async invoke(request: rpc.InvokeRequest, session: Session): Promise<rpc.InvokeResponse> {
    const token = request.getTok();
    const fn = this.pkg.functions?.[token];
    if (!fn) throw new Error(`${this.pkg.name}: the stand-in has no function ${token}`);
    const c = { session, urn: "", name: token, timeoutSeconds: 0 };
    const result = await fn(plainProps(fromStruct(request.getArgs())), c);
    return new rpc.InvokeResponse().setReturn(toStruct(result));
  }
}

/** Serves a package on a free port of the address; `directory` is the program's folder. */
export async function serve(pkg: Package, directory: string, listen = "127.0.0.1"): Promise<Served> {
  const server = new grpc.Server({
    "grpc.max_receive_message_length": MAX_MESSAGE,
    "grpc.max_send_message_length": MAX_MESSAGE,
  });
  const service = ResourceProviderService as unknown as grpc.ServiceDefinition;
  const provider = new Provider(pkg, directory);
  server.addService(service, provider.methods());
  const port = await new Promise<number>((resolve, reject) => {
    const credentials = grpc.ServerCredentials.createInsecure();
    server.bindAsync(`${listen}:0`, credentials, (error, bound) => (error ? reject(error) : resolve(bound)));
  });
  return {
    port,
    async stop() {
      server.forceShutdown();
      provider.end();
    },
  };
}

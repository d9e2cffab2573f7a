/** The engine's questions about one resource, answered from its description. */
import { randomBytes } from "node:crypto";
import * as rpc from "@pulumi/pulumi/proto/provider_pb";
import { changes, covers, type Change } from "./diff";
import type { Context, Failure, Package, Resource } from "./resource";
import type { Session } from "./session";
import {
  fromStruct,
  knownOnly,
  markSecrets,
  plainProps,
  secretKeys,
  toStruct,
  UNKNOWN,
  type Json,
  type Props,
} from "./values";

type Named = { getUrn(): string; getName(): string; getType(): string };

export class Operations {
  constructor(private readonly pkg: Package) {}

  private resource(urn: string): Resource {
    const type = urn.split("::")[2]?.split("$").at(-1) ?? "";
    const found = this.pkg.resources[type];
    if (!found) throw new Error(`${this.pkg.name}: the stand-in has no resource type ${type}`);
    return found;
  }

  private context(session: Session, request: Named, timeoutSeconds: number): Context {
    const name = request.getName() || (request.getUrn().split("::")[3] ?? "");
    return { session, urn: request.getUrn(), name, timeoutSeconds };
  }

  check(request: rpc.CheckRequest): rpc.CheckResponse {
    const resource = this.resource(request.getUrn());
    const news = fromStruct(request.getNews());
    const olds = plainProps(fromStruct(request.getOlds()));
    if (resource.autoName && news[resource.autoName] === undefined) {
      const name = request.getName() || request.getUrn().split("::")[3];
      const seed = Buffer.from(request.getRandomseed_asU8());
      const suffix = (seed.length ? seed : randomBytes(4)).toString("hex").slice(0, 7);
      news[resource.autoName] = olds[resource.autoName] ?? `${name}-${suffix}`;
    }
    const failures = failuresOf(resource, news);
    const response = new rpc.CheckResponse().setInputs(toStruct(news));
    return response.setFailuresList(
      failures.map((f) => new rpc.CheckFailure().setProperty(f.property).setReason(f.reason)),
    );
  }

  diff(request: rpc.DiffRequest): rpc.DiffResponse {
    const resource = this.resource(request.getUrn());
    const news = plainProps(fromStruct(request.getNews()));
    const olds = plainProps(fromStruct(request.getOldInputs()));
    const found = changes(olds, news, request.getIgnorechangesList()).filter(
      (change) => !(change.kind === "delete" && resource.computed?.some((name) => covers(name, change.path))),
    );
    const replaces = found.filter((change) => isReplace(resource, change));
    const response = new rpc.DiffResponse()
      .setChanges(
        found.length ? rpc.DiffResponse.DiffChanges.DIFF_SOME : rpc.DiffResponse.DiffChanges.DIFF_NONE,
      )
      .setDiffsList([...new Set(found.map(({ path }) => path.split(/[.[]/)[0] ?? path))])
      .setReplacesList(replaces.map(({ path }) => path))
      .setDeletebeforereplace(resource.deleteFirst ?? false)
      .setHasdetaileddiff(true);
    for (const change of found) {
      const kind = kindOf(change, isReplace(resource, change));
      response.getDetaileddiffMap().set(change.path, new rpc.PropertyDiff().setKind(kind).setInputdiff(true));
    }
    return response;
  }

  async create(request: rpc.CreateRequest, session: Session): Promise<rpc.CreateResponse> {
    const resource = this.resource(request.getUrn());
    const raw = fromStruct(request.getProperties());
    if (request.getPreview()) {
      return new rpc.CreateResponse().setProperties(this.state(resource, raw, unknownOutputs(resource)));
    }
    const c = this.context(session, request, request.getTimeout());
    const { id, outputs } = await resource.create(plainProps(raw), c);
    return new rpc.CreateResponse().setId(id).setProperties(this.state(resource, raw, outputs ?? {}));
  }

  async read(request: rpc.ReadRequest, session: Session): Promise<rpc.ReadResponse> {
    const resource = this.resource(request.getUrn());
    const oldInputs = fromStruct(request.getInputs());
    const oldOutputs = fromStruct(request.getProperties());
    const isImport = Object.keys(oldInputs).length === 0 && Object.keys(oldOutputs).length === 0;
    if (!resource.read) {
      if (isImport) throw new Error(`${request.getType()}: this resource cannot be imported`);
      return new rpc.ReadResponse()
        .setId(request.getId())
        .setProperties(toStruct(oldOutputs))
        .setInputs(toStruct(oldInputs));
    }
    const found = await resource.read(request.getId(), this.context(session, request, request.getTimeout()));
    if (!found) return new rpc.ReadResponse();
    const told = without(found.inputs, isImport ? resource.unread : []);
    const inputs = isImport ? told : refreshed(oldInputs, told);
    const outputs = { ...told, ...(found.outputs ?? {}) };
    return new rpc.ReadResponse()
      .setId(found.id ?? request.getId())
      .setInputs(toStruct(inputs))
      .setProperties(this.state(resource, inputs, outputs));
  }

  async update(request: rpc.UpdateRequest, session: Session): Promise<rpc.UpdateResponse> {
    const resource = this.resource(request.getUrn());
    const raw = fromStruct(request.getNews());
    const old = {
      inputs: plainProps(fromStruct(request.getOldInputs())),
      outputs: plainProps(fromStruct(request.getOlds())),
    };
    const kept = onlyOutputs(resource, old.outputs);
    if (request.getPreview()) {
      const outputs = resource.outputsFollowUpdate ? unknownOutputs(resource) : kept;
      return new rpc.UpdateResponse().setProperties(this.state(resource, raw, outputs));
    }
    const c = this.context(session, request, request.getTimeout());
    const outputs = await resource.update?.(request.getId(), plainProps(raw), old, c);
    return new rpc.UpdateResponse().setProperties(this.state(resource, raw, { ...kept, ...(outputs ?? {}) }));
  }

  async delete(request: rpc.DeleteRequest, session: Session): Promise<void> {
    const old = {
      inputs: plainProps(fromStruct(request.getOldInputs())),
      outputs: plainProps(fromStruct(request.getProperties())),
    };
    const c = this.context(session, request, request.getTimeout());
    await this.resource(request.getUrn()).delete?.(request.getId(), old, c);
  }

  /** The resource's outputs: its arguments as they came, and what it found out; marked secret where it must be. */
  private state(resource: Resource, raw: Props, outputs: Props): ReturnType<typeof toStruct> {
    return toStruct(markSecrets({ ...raw, ...outputs }, [...secretKeys(raw), ...(resource.secrets ?? [])]));
  }
}

function isReplace(resource: Resource, change: Change): boolean {
  if (!resource.update) return true;
  return resource.replaceOn?.some((name) => covers(name, change.path)) ?? false;
}

function kindOf(change: Change, replace: boolean): rpc.PropertyDiff.Kind {
  const { Kind } = rpc.PropertyDiff;
  if (change.kind === "add") return replace ? Kind.ADD_REPLACE : Kind.ADD;
  if (change.kind === "delete") return replace ? Kind.DELETE_REPLACE : Kind.DELETE;
  return replace ? Kind.UPDATE_REPLACE : Kind.UPDATE;
}

function failuresOf(resource: Resource, news: Props): Failure[] {
  const known = new Set([...(resource.required ?? []), ...(resource.optional ?? [])]);
  const missing = (resource.required ?? []).filter((name) => news[name] === undefined || news[name] === null);
  const surplus = Object.keys(news).filter((name) => !known.has(name));
  return [
    ...missing.map((property) => ({ property, reason: `Missing required argument: "${property}"` })),
    ...surplus.map((property) => ({
      property,
      reason: `Unsupported argument: "${property}" (or not in the stand-in)`,
    })),
    ...(resource.check?.(knownOnly(plainProps(news))) ?? []),
  ];
}

function unknownOutputs(resource: Resource): Props {
  return Object.fromEntries((resource.outputs ?? []).map((name) => [name, UNKNOWN]));
}

function onlyOutputs(resource: Resource, outputs: Props): Props {
  return Object.fromEntries(Object.entries(outputs).filter(([name]) => resource.outputs?.includes(name)));
}

/** A refresh brings the arguments that the program gave up to date, and adds none that it did not give. */
function without(from: Props, names: string[] = []): Props {
  return Object.fromEntries(Object.entries(from).filter(([name]) => !names.includes(name)));
}

function refreshed(old: Props, found: Props): Props {
  const secrets = secretKeys(old);
  const fresh = Object.keys(old).map((name): [string, Json] => [name, found[name] ?? old[name] ?? null]);
  return markSecrets(Object.fromEntries(fresh), secrets);
}

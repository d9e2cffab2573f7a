/** Values as the engine's protocol carries them: marked secrets, unknowns, assets. */
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import type { JavaScriptValue } from "google-protobuf/google/protobuf/struct_pb";

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
export type Props = { [key: string]: Json };

/** Stands for a value that will be known only when the change is carried out. */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

const MARK = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";
const OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4";
export const ASSET = "c44067f5952c0a294b673a41bacd8c17";
export const ARCHIVE = "0def7320c3a5731c473e5ecbe6d01bc7";

function isObject(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What kind of marked value this is (`ASSET`, `ARCHIVE`), if it is one. */
export function markOf(value: Json | undefined): Json | undefined {
  return isObject(value) ? value[MARK] : undefined;
}

/** A property bag off the wire, with its marks. */
export function fromStruct(struct: Struct | undefined): Props {
  return (struct?.toJavaScript() ?? {}) as Props;
}

export function toStruct(props: Props): Struct {
  return Struct.fromJavaScript(props as { [key: string]: JavaScriptValue });
}

/** The value without its secret and output marks; what is unknown stays `UNKNOWN`. */
export function plain(value: Json): Json {
  if (Array.isArray(value)) return value.map(plain);
  if (!isObject(value)) return value;
  if (value[MARK] === SECRET) return plain(value["value"] ?? null);
  if (value[MARK] === OUTPUT) return value["value"] === undefined ? UNKNOWN : plain(value["value"]);
  return plainProps(value);
}

export function plainProps(props: Props): Props {
  return Object.fromEntries(Object.entries(props).map(([key, value]) => [key, plain(value)]));
}

/** True when the value or anything inside it fulfils the test. */
function some(value: Json, test: (v: Json) => boolean): boolean {
  if (test(value)) return true;
  if (Array.isArray(value)) return value.some((v) => some(v, test));
  return isObject(value) && Object.values(value).some((v) => some(v, test));
}

function isSecret(value: Json): boolean {
  return isObject(value) && (value[MARK] === SECRET || (value[MARK] === OUTPUT && value["secret"] === true));
}

export function hasUnknown(value: Json): boolean {
  return some(value, (v) => v === UNKNOWN);
}

/** The names of the properties that hold a secret anywhere. */
export function secretKeys(props: Props): Set<string> {
  return new Set(Object.keys(props).filter((key) => some(props[key] ?? null, isSecret)));
}

/** Marks the named properties secret. */
export function markSecrets(props: Props, keys: Iterable<string>): Props {
  const marked = { ...props };
  for (const key of keys) {
    const value = marked[key];
    if (value !== undefined && !isSecret(value)) marked[key] = { [MARK]: SECRET, value };
  }
  return marked;
}

/** Only the properties that are wholly known: what a check before the change can judge. */
export function knownOnly(props: Props): Props {
  return Object.fromEntries(Object.entries(props).filter(([, value]) => !hasUnknown(value)));
}

/** Drops what was not given: the wire has no `undefined`, and the engine shows null as a value. */
export function compact(props: { [key: string]: Json | undefined }): Props {
  const given = Object.entries(props).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(given) as Props;
}

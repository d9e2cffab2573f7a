/** What changed between two property bags, by path, as the engine's detailed diff wants it. */
import { markOf, type Json, type Props } from "./values";

export type Change = { path: string; kind: "add" | "delete" | "update" };

type Segment = string | number;

function pathOf(segments: Segment[]): string {
  return segments.reduce<string>((path, part) => {
    if (typeof part === "number") return `${path}[${part}]`;
    if (!/^[\w-]+$/.test(part)) return `${path}[${JSON.stringify(part)}]`;
    return path ? `${path}.${part}` : part;
  }, "");
}

/** Splits a property path: `a.b`, `a[0]`, `a["b.c"]`, `a[*]`. */
export function segmentsOf(path: string): string[] {
  const part = /\["((?:[^"\\]|\\.)*)"\]|\[(\d+|\*)\]|([^.[\]]+)/g;
  return [...path.matchAll(part)].map((m) => m[1] ?? m[2] ?? m[3] ?? "");
}

/** True when the pattern names this path or something above it. */
export function covers(pattern: string, path: string): boolean {
  const wanted = segmentsOf(pattern);
  const found = segmentsOf(path);
  return wanted.length <= found.length && wanted.every((part, i) => part === "*" || part === found[i]);
}

function children(value: Json | undefined): Map<Segment, Json> | undefined {
  if (Array.isArray(value)) return new Map(value.map((v, i) => [i, v]));
  if (typeof value === "object" && value !== null) return new Map(Object.entries(value));
  return undefined;
}

/** Assets and archives are the same when their content is, wherever it lies. */
function isSameContent(was: Json | undefined, is: Json | undefined): boolean {
  if (markOf(was) === undefined || markOf(was) !== markOf(is)) return false;
  return (was as Props)["hash"] !== undefined && (was as Props)["hash"] === (is as Props)["hash"];
}

function walk(was: Json | undefined, is: Json | undefined, at: Segment[], found: Change[]): void {
  if (was === is || isSameContent(was, is)) return;
  const [before, after] = [children(was), children(is)];
  if (before && after && Array.isArray(was) === Array.isArray(is)) {
    for (const key of new Set([...before.keys(), ...after.keys()])) {
      walk(before.get(key), after.get(key), [...at, key], found);
    }
    return;
  }
  const kind = was === undefined ? "add" : is === undefined ? "delete" : "update";
  found.push({ path: pathOf(at), kind });
}

/** Every changed path, save those under an ignored one. */
export function changes(was: Props, is: Props, ignored: string[] = []): Change[] {
  const found: Change[] = [];
  walk(was, is, [], found);
  return found.filter(({ path }) => !ignored.some((pattern) => covers(pattern, path)));
}

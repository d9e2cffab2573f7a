import type { Failure } from "../resource";
import type { Json, Props } from "../values";

/** RFC 1123, as the API asks of a server's name. */
const HOST_NAME = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/i;

/** Locations and their datacenters. */
export const LOCATIONS: Record<string, string> = {
  fsn1: "fsn1-dc14",
  nbg1: "nbg1-dc3",
  hel1: "hel1-dc2",
  ash: "ash-dc1",
  hil: "hil-dc1",
  sin: "sin-dc1",
};

export function checkHostName(name: Json | undefined): Failure[] {
  if (name === undefined || HOST_NAME.test(String(name))) return [];
  return [{ property: "name", reason: `"${String(name)}" is not a valid host name` }];
}

export function checkLocation(location: Json | undefined): Failure[] {
  if (location === undefined || LOCATIONS[String(location)]) return [];
  return [{ property: "location", reason: `location "${String(location)}" not found (not_found)` }];
}

export function refuseDuplicate(kind: string, name: Json | undefined, taken: { name: string }[]): void {
  if (taken.some((item) => item.name === name))
    throw new Error(`${kind} name is already used (uniqueness_error)`);
}

/** The API's own error for an id or name that it does not have. */
export function notFound(kind: string, what: Json | undefined): never {
  throw new Error(`${kind} not found: ${String(what)} (not_found)`);
}

/** `key=value`, `key`, `!key`, `key!=value`, joined by commas: the label selectors of the API. */
export function selects(selector: Json | undefined, labels: Json | undefined): boolean {
  if (selector === undefined || selector === "") return true;
  const have = (labels ?? {}) as Props;
  return String(selector)
    .split(",")
    .every((term) => {
      const [, not, key = "", operator, value] = /^(!?)([^=!]+)(?:(!=|==?)(.*))?$/.exec(term.trim()) ?? [];
      if (operator === "!=") return have[key] !== value;
      if (operator) return have[key] === value;
      return (have[key] !== undefined) !== (not === "!");
    });
}

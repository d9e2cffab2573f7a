import type { Failure } from "../resource";
import type { Json, Props } from "../values";

const ENDPOINT = [
  "host",
  "port",
  "user",
  "password",
  "privateKey",
  "privateKeyPassword",
  "agentSocketPath",
  "dialErrorLimit",
  "perDialTimeout",
  "hostKey",
];
const LOGGING = ["stdout", "stderr", "stdoutAndStderr", "none"];

function unknownFields(value: Json | undefined, known: string[], at: string): Failure[] {
  const surplus = Object.keys((value ?? {}) as Props).filter((field) => !known.includes(field));
  return surplus.map((field) => ({
    property: `${at}.${field}`,
    reason: "an unexpected argument was provided",
  }));
}

/** A proxy has no proxy of its own. */
export function checkConnection(connection: Json | undefined): Failure[] {
  if (connection === undefined) return [];
  const proxy = (connection as Props)["proxy"];
  return [
    ...unknownFields(connection, [...ENDPOINT, "proxy"], "connection"),
    ...unknownFields(proxy, ENDPOINT, "connection.proxy"),
  ];
}

export function checkLogging(logging: Json | undefined): Failure[] {
  if (logging === undefined || LOGGING.includes(String(logging))) return [];
  return [
    { property: "logging", reason: `expected one of ${LOGGING.join(", ")}, got ${JSON.stringify(logging)}` },
  ];
}

/** command:remote:Command, over real SSH, with the traps of the official 1.2.1. */
import { randomBytes } from "node:crypto";
import type { Context, Resource } from "../resource";
import type { Json, Props } from "../values";
import { dial, endpointOf } from "./connection";
import { execute } from "./exec";
import { Output, previousOutput } from "./output";
import { checkConnection, checkLogging } from "./check";

async function run(command: string, inputs: Props, before: Props, c: Context): Promise<Props> {
  const client = await dial(endpointOf(inputs["connection"]), c);
  const output = new Output(c, command, inputs["logging"]);
  try {
    const environment = (inputs["environment"] ?? {}) as Record<string, string>;
    const stdin = String(inputs["stdin"] ?? "");
    await execute(
      client,
      { command, stdin, environment, previous: previousOutput(inputs, before) },
      output,
      c,
    );
  } finally {
    // The real plugin never closes a connection: all stay open until the engine ends.
    c.session.closeAtEnd(() => client.end());
  }
  return output.outputs();
}

function text(value: Json | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}

export const remoteCommand: Resource = {
  required: ["connection"],
  optional: [
    "create",
    "update",
    "delete",
    "triggers",
    "stdin",
    "environment",
    "logging",
    "addPreviousOutputInEnv",
  ],
  computed: ["addPreviousOutputInEnv"],
  replaceOn: ["triggers"],
  outputs: ["stdout", "stderr"],
  secrets: ["connection"],
  outputsFollowUpdate: true,
  check: (inputs) => [...checkConnection(inputs["connection"]), ...checkLogging(inputs["logging"])],

  async create(inputs, c) {
    const id = c.name + randomBytes(4).toString("hex");
    const command = text(inputs["create"]);
    return {
      id,
      outputs: command === undefined ? { stdout: "", stderr: "" } : await run(command, inputs, {}, c),
    };
  },

  /** Any changed argument comes here, the connection included: without `update`, `create` runs again. */
  async update(_id, inputs, old, c) {
    const command = text(inputs["update"]) ?? text(inputs["create"]);
    return command === undefined ? undefined : run(command, inputs, old.outputs, c);
  },

  /** By the connection in the state: the old address, the old key. */
  async delete(_id, old, c) {
    const command = text(old.outputs["delete"]);
    if (command !== undefined) await run(command, old.outputs, old.outputs, c);
  },
};

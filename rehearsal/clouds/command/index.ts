/**
 * @pulumi/command 1.2.1 over real SSH, used where the official plugin cannot be had.
 * Its traps are part of it (measured): nothing is verified without `hostKey`, any changed argument runs the command
 * again, a command cannot be cancelled, an error prints the whole command. One is refused instead of copied: on a
 * line over 64 KiB the official plugin hangs for ever; this one fails and says so.
 */
import type { Package } from "../resource";
import { copyToRemote } from "./copy";
import { localCommand, localRun } from "./local";
import { remoteCommand } from "./remote";

export const command: Package = {
  name: "command",
  version: "1.2.1",
  resources: {
    "command:remote:Command": remoteCommand,
    "command:remote:CopyToRemote": copyToRemote,
    "command:local:Command": localCommand,
  },
  functions: { "command:local:run": localRun },
};

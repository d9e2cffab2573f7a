import * as pulumi from "@pulumi/pulumi";
import { readFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import type { Migration } from "../config";
import { holdOver } from "./ssh";

/**
 * One run at a time for a source: the engine's lock knows its own stack alone, and it goes by `pulumi cancel`. The
 * turn is held on the source for as long as this process and its connection live, and leaves no trace there. A
 * preview takes none; where the source can't be asked, the survey says so.
 *
 * @returns whether it has been taken, or needs not be; no, where the source did not answer.
 * @throws pulumi.RunError when another run has the turn.
 */
export async function takeTurn({ source, key }: Migration): Promise<boolean> {
  if (pulumi.runtime.isDryRun()) return true;
  const text = await readFile(path.join(__dirname, "..", "scripts", "turn.py"), "utf8");
  const me = `${os.userInfo().username}@${os.hostname()}, stack ${pulumi.getStack()}`;
  const server = { ...source, side: "source", privateKey: key.private, pinned: source };
  const answer = await holdOver(server, `python3 -c ${quoted(text)} ${quoted(me)}`).catch(() => "");
  const other = /^taken by (.*)/.exec(answer)?.[1];
  if (other === undefined) return answer !== "";
  throw new pulumi.RunError(
    `another run is at work on the source ${source.host} (${other}); nothing has been changed. ` +
      `Two at once would undo each other's work. What to do: wait until it has ended, then run \`pulumi up\` again. ` +
      `A run whose connection broke gives up its turn within 30 s`,
  );
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

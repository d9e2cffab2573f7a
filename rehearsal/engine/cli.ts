import { lstatSync, renameSync, rmSync, symlinkSync } from "node:fs";
import path from "node:path";
import { run } from "../lab/run";

/**
 * The folder of the real Pulumi CLI; fetched or built beforehand by rehearsal/prepare.sh, which has a network. Where the
 * vendor's language host did not come with it, ours is put beside it.
 */
export async function pulumiCli(log?: (line: string) => void): Promise<string> {
  const cli = (await run([path.join(__dirname, "cli.sh"), "--path"])).stdout.trim();
  if (!lstatSync(cli, { throwIfNoEntry: false }))
    throw new Error(`engine: no Pulumi CLI at ${cli}. Run rehearsal/prepare.sh engine first.`);
  const folder = path.dirname(cli);
  const own = languageHost(folder);
  log?.(`engine: ${cli}${own ? ", with the stand-in language host" : ""}`);
  return folder;
}

/** A link, made anew each time: the checkout that made the last one may be gone. */
function languageHost(folder: string): boolean {
  const place = path.join(folder, "pulumi-language-nodejs");
  const there = lstatSync(place, { throwIfNoEntry: false });
  if (there && !there.isSymbolicLink()) return false;
  const fresh = `${place}.${process.pid}`;
  rmSync(fresh, { force: true });
  symlinkSync(path.join(__dirname, "language/pulumi-language-nodejs"), fresh);
  renameSync(fresh, place);
  return true;
}

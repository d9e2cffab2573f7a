import { copyFileSync, existsSync, linkSync, lstatSync, mkdirSync, rmSync, symlinkSync } from "node:fs";
import path from "node:path";
import { run } from "../lab/run";

export interface Engine {
  /** Folder with `pulumi` and its language host, to be first on the PATH. */
  cli: string;
  /** PULUMI_HOME, with the plugins. */
  home: string;
}

/**
 * The real Pulumi CLI; fetched or built beforehand by rehearsal/prepare.sh, which has a network. Where the vendor's language
 * host did not come with it, ours stands beside it in a folder of this lab's own: another checkout may have another one.
 *
 * @param folder made, where it is needed.
 */
export async function pulumiCli(folder: string, log?: (line: string) => void): Promise<Engine> {
  const cli = (await run([path.join(__dirname, "cli.sh"), "--path"])).stdout.trim();
  if (!existsSync(cli))
    throw new Error(`engine: no Pulumi CLI at ${cli}. Run rehearsal/prepare.sh engine first.`);
  const bin = path.dirname(cli);
  const home = path.join(bin, "../../..");
  const vendors = lstatSync(path.join(bin, "pulumi-language-nodejs"), { throwIfNoEntry: false })?.isFile();
  log?.(`engine: ${cli}${vendors ? "" : ", with the stand-in language host"}`);
  return { cli: vendors ? bin : withOurs(cli, folder), home };
}

/** The CLI looks for its language host beside itself, where a symbolic link leads: so it is a hard link. */
function withOurs(cli: string, folder: string): string {
  mkdirSync(folder, { recursive: true });
  const own = path.join(folder, "pulumi");
  const host = path.join(folder, "pulumi-language-nodejs");
  for (const file of [own, host]) rmSync(file, { force: true });
  try {
    linkSync(cli, own);
  } catch {
    copyFileSync(cli, own); // another file system
  }
  symlinkSync(path.join(__dirname, "language/pulumi-language-nodejs"), host);
  return folder;
}

import { existsSync } from "node:fs";
import path from "node:path";
import { run } from "../lab/run";

/** The folder of the real Pulumi CLI; fetched or built beforehand by rehearsal/prepare.sh, which has a network. */
export async function pulumiCli(log?: (line: string) => void): Promise<string> {
  const cli = (await run([path.join(__dirname, "cli.sh"), "--path"])).stdout.trim();
  if (!existsSync(cli))
    throw new Error(`engine: no Pulumi CLI at ${cli}. Run rehearsal/prepare.sh engine first.`);
  log?.(`engine: ${cli}`);
  return path.dirname(cli);
}

import { World } from "../world";
import type { Options } from "./options";
import type { Keep } from "./part";
import { say, type Timed } from "./results";

const tries = 3;
const limit = 15;

/** How long the program itself takes to look: a preview with its survey, and an `up` that finds everything done. */
export async function measureProgram(_: Options, keep: Keep): Promise<void> {
  const world = await World.build({ rttMs: 10, rate: 0, size: "small", log: say });
  const { stack } = world;
  const program: Timed[] = [];
  const time = async (command: string, args: string[]) => {
    const seconds: number[] = [];
    for (let n = 1; n <= tries; n++) seconds.push((await stack.must(args)).seconds);
    say(`${command}: ${seconds.map((s) => s.toFixed(1)).join(", ")} s`);
    program.push({ command, seconds, limit });
    keep({ program });
  };
  await time("`pulumi preview`, before anything was done", ["preview"]);
  for (const phase of ["prepare", "replicate", "shift", "switch"]) {
    await stack.setConfig({ phase });
    say(`going to ${phase}`);
    await stack.must(["up", "--yes", "--skip-preview"]);
  }
  await time("`pulumi up` with nothing to do, after the switch", [
    "up",
    "--yes",
    "--skip-preview",
    "--expect-no-changes",
  ]);
  await time("`pulumi preview`, after the switch", ["preview", "--expect-no-changes"]);
  await world.stop();
}

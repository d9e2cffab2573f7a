import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface, type Interface } from "node:readline";
import path from "node:path";
import { ip, subnets } from "./network";
import { run, waitFor } from "./run";

const device = "delay";
const table = "198";

/**
 * The distance between old and new: a router in user space (rehearsal/tools/delay) that holds every packet for half
 * a round trip. Without a round trip to add, packets go straight and no router runs.
 */
export class Delay {
  private router?: ChildProcess;
  private answers?: AsyncIterator<string>;

  /** Sets the added round trip, now and for packets to come; those under way keep their order. */
  async set(rttMs: number): Promise<void> {
    if (!(rttMs >= 0 && rttMs <= 10_000))
      throw new Error(`lab: a round trip of ${rttMs} ms: expected 0 to 10000`);
    if (rttMs === 0) return this.stop();
    if (!this.router) await this.startRouter();
    this.router!.stdin!.write(`rtt ${rttMs}\n`);
    const answer = await this.answers!.next();
    if (answer.value !== `rtt ${rttMs}`)
      throw new Error(`lab: the delay router said "${String(answer.value)}" to rtt ${rttMs}`);
    await this.route();
  }

  async stop(): Promise<void> {
    if (!this.router) return;
    for (const [from, to] of directions)
      await ip(`rule del iif ${from} to ${subnets[to]}.0/24 lookup ${table}`, true);
    const router = this.router;
    this.router = undefined;
    router.stdin!.end(); // its device goes with it
    await waitFor("the delay router to end", 5_000, async () => router.exitCode !== null || "it runs on");
  }

  private async startRouter(): Promise<void> {
    const program = path.join(
      (await run([path.join(__dirname, "../tools/build.sh"), "--path"])).stdout.trim(),
      "delay",
    );
    if (!existsSync(program))
      throw new Error(`lab: no delay router at ${program}. Run rehearsal/prepare.sh first.`);
    this.router = spawn(program, [device], { stdio: ["pipe", "pipe", "inherit"] });
    const lines: Interface = createInterface({ input: this.router.stdout! });
    this.answers = lines[Symbol.asyncIterator]();
    const hello = await this.answers.next();
    if (hello.value !== "ready")
      throw new Error(`lab: the delay router did not start, it said "${String(hello.value)}"`);
    await ip(`link set ${device} up txqueuelen 20000`);
    await run(["sysctl", "-qw", `net.ipv4.conf.${device}.rp_filter=0`]);
    await ip(`route replace default dev ${device} table ${table}`);
  }

  private async route(): Promise<void> {
    const rules = (await ip("rule show")).stdout;
    for (const [from, to] of directions)
      if (!rules.includes(`iif ${from} lookup ${table}`))
        await ip(`rule add iif ${from} to ${subnets[to]}.0/24 lookup ${table}`);
  }
}

const directions = [
  ["old", "new"],
  ["new", "old"],
] as const;

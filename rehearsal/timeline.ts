import type { PhaseTime, StepTime } from "./report/model";
import { plan, type StepName } from "../survey/plan";
import { storagePlan } from "../survey/storage-plan";
import type { StackEvent } from "./stack";

const step = "command:remote:Command";
const steps = { ...plan, ...storagePlan };

/** How long each phase and each step took, as the engine's own events tell it. */
export class Timeline {
  /** When the rehearsal began, in milliseconds since 1970. */
  readonly startedAt = Date.now();
  readonly phases: PhaseTime[] = [];
  readonly steps: StepTime[] = [];
  /** What each finished step printed as its result. */
  readonly results: { name: string; ok: boolean; result: Record<string, unknown> }[] = [];
  private readonly begun = new Map<string, number>();
  private phase = "";

  begin(phase: string): void {
    this.phase = phase;
    this.phases.push({ phase, seconds: 0, startedAt: Date.now() });
  }

  end(): void {
    const last = this.phases.at(-1);
    if (last) last.seconds = (Date.now() - (last.startedAt ?? 0)) / 1000;
  }

  take(e: StackEvent): void {
    if (e.type !== step) return;
    if (e.kind === "start") this.begun.set(e.name, e.at);
    if ((e.kind !== "done" && e.kind !== "failed") || e.op === "same") return;
    const startedAt = this.begun.get(e.name) ?? e.at;
    const told = result(e.outputs?.["stdout"]);
    this.results.push({ name: e.name, ok: e.kind === "done", result: told });
    this.steps.push({
      name: e.name,
      host: e.name in steps ? steps[e.name as StepName].on : "",
      seconds: (e.at - startedAt) / 1000,
      outcome: e.kind === "failed" ? "failed" : String(told["outcome"] ?? "changed"),
      phase: this.phase,
      startedAt,
    });
  }
}

/** The JSON object on the last line of a step's output; empty when there is none. */
export function result(stdout: unknown): Record<string, unknown> {
  if (typeof stdout !== "string") return {};
  try {
    return JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Record<string, unknown>;
  } catch {
    return {};
  }
}

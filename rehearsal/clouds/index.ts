/** Stand-in providers for the rehearsal: one process, one port a package, attached by the engine. */
import { command } from "./command";
import { serve } from "./provider";
import { random } from "./random";
import { tls } from "./tls";

export interface CloudsOptions {
  /** Address to listen on. */
  listen?: string;
  /** The program's folder, to which relative asset paths are relative; the current one by default. */
  directory?: string;
}

export interface Clouds {
  /** What to put into the environment of `pulumi`. */
  env: Record<string, string>;
  stop(): Promise<void>;
}

/** Starts all packages; the state of the clouds lives as long as its folder, not as long as an engine. */
export async function startClouds(o: CloudsOptions = {}): Promise<Clouds> {
  const packages = [command, random, tls];
  const served = await Promise.all(
    packages.map(async (pkg) => ({
      name: pkg.name,
      ...(await serve(pkg, o.directory ?? process.cwd(), o.listen)),
    })),
  );
  return {
    env: { PULUMI_DEBUG_PROVIDERS: served.map(({ name, port }) => `${name}:${port}`).join(",") },
    async stop() {
      await Promise.all(served.map((s) => s.stop()));
    },
  };
}

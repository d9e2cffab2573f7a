/** Measures one part in a lab of its own. usage, inside rehearsal/enter.sh: part.ts PART OPTIONS_AS_JSON RESULT_FILE */
import { writeFileSync } from "node:fs";
import type { Options, Part } from "./options";
import { measurePauses, measurePeers } from "./pauses";
import { measureProgram } from "./program";
import type { Results } from "./results";
import { measureSeeding } from "./seeding";

const measures: Record<Exclude<Part, "rehearsal">, (o: Options) => Promise<Partial<Results>>> = {
  pause: measurePauses,
  peers: measurePeers,
  seeding: measureSeeding,
  program: measureProgram,
};

async function main(part: string, options: string, file: string): Promise<void> {
  const measure = measures[part as keyof typeof measures];
  writeFileSync(file, JSON.stringify(await measure(JSON.parse(options) as Options)));
}

const [part = "", options = "{}", file = ""] = process.argv.slice(2);
main(part, options, file).then(
  () => process.exit(0),
  (e: unknown) => {
    console.error(e);
    process.exit(1);
  },
);

/** Measures one part in a lab of its own. usage, inside rehearsal/enter.sh: part.ts PART OPTIONS_AS_JSON RESULT_FILE */
import type { Options, Part } from "./options";
import { measureMedia } from "./media";
import { measurePauses, measurePeers } from "./pauses";
import { measureProgram } from "./program";
import type { Found } from "./results";
import { measureSeeding } from "./seeding";
import { put } from "./store";

/** Tells what was found so far, more each time, so that nothing is lost where a part is stopped. */
export type Keep = (found: Found) => void;

const measures: Record<Exclude<Part, "rehearsal">, (o: Options, keep: Keep) => Promise<void>> = {
  pauses: measurePauses,
  peers: measurePeers,
  seeding: measureSeeding,
  media: measureMedia,
  program: measureProgram,
};

const [part = "", options = "{}", file = ""] = process.argv.slice(2);
const measure = measures[part as keyof typeof measures];
measure(JSON.parse(options) as Options, (found) => put(file, JSON.stringify(found))).then(
  () => process.exit(0),
  (e: unknown) => {
    console.error(e);
    process.exit(1);
  },
);

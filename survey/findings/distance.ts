import { type Check, note, warning } from "../finding";
import { reached } from "../phase";

/** SQL statements of an ordinary page, like a home timeline: a middling figure, for the estimate alone. */
const statements = 30;
/** From this round trip on (ms) the threads are multiplied; scripts/app/threads.sh has the same number. */
const noticeable = 5;
/** From this round trip on (ms) a page takes a second longer, and people would notice. */
const annoying = 35;

/** While shifted, the app and its database are a round trip apart, and every statement pays it. */
export const distance: Check = ({ target, at }) => {
  const rttMs = target?.peer?.rttMs ?? 0;
  if (rttMs < noticeable || reached(at, "switch")) return null;
  const evidence = `${rttMs.toFixed(0)} ms between them: a page of ${statements} statements takes about ${((statements * rttMs) / 1000).toFixed(1)} s longer from shift to switch`;
  return rttMs < annoying
    ? note(
        "distance",
        "between shift and switch pages are a little slower",
        evidence,
        "nothing: the web processes get more threads for that time; go on to switch soon after shift",
      )
    : warning(
        "distance",
        "between shift and switch pages are slow",
        evidence,
        "go from replicate to switch in one `pulumi up`, at a quiet hour; the web processes get more threads for that time",
      );
};

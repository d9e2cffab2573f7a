import { count, millis } from "./format";
import { kinds, type Report } from "./model";

/** The rehearsal in one sentence. */
export function verdict(r: Report): string {
  if (r.verdict) return r.verdict;
  const lost = lostThings(r);
  const { failed } = r.clients;
  const { dropped } = r.federation;
  if (r.ok && r.fault && failed + excused(r).length > 0) return endedWell(r);
  if (r.ok)
    return `Moved${r.backLedger ? ", and back again" : ""}: nobody noticed, nothing is lost.${r.switchover ? ` Writes waited ${millis(r.switchover.writePauseMs)}.` : ""}${inBucket(r)}`;
  const bad = [
    lost > 0 && `${count(lost, "thing")} lost`,
    twice(r) > 0 && `${count(twice(r), "thing")} there twice`,
    ...mediaFaults(r),
    failed > 0 && `${count(failed, "request")} failed`,
    dropped > 0 && `${count(dropped, "delivery", "deliveries")} dropped`,
    r.ledger.tables.different.length > 0 &&
      count(r.ledger.tables.different.length, "table differs", "tables differ"),
    r.ledger.mediaFiles.missing + r.ledger.mediaFiles.different > 0 && "media files missing or changed",
  ].filter(Boolean);
  return `Not good: ${bad.length > 0 ? bad.join(", ") : "see the findings"}.`;
}

/** What a power cut takes along is no fault of the move, and lost all the same. */
function endedWell(r: Report): string {
  const lost = ["nothing was lost", ...excused(r)].join(" but ");
  const { failed } = r.clients;
  const late = failed > 0 ? `; ${count(failed, "request")} failed and went through later` : "";
  return `Ended well in spite of the fault: ${lost}${late}.`;
}

function excused(r: Report): string[] {
  return [...(r.ledger.excused ?? []), ...(r.backLedger?.excused ?? [])];
}

function inBucket({ media }: Report): string {
  return media ? ` ${count(media.objects, "object")} in the bucket, every one accounted for.` : "";
}

function mediaFaults({ media }: Report): (string | false)[] {
  if (!media) return [];
  return [
    media.missing > 0 && `${count(media.missing, "object")} missing`,
    media.wrong > 0 && `${count(media.wrong, "object")} wrong`,
    media.brokenLinks > 0 && `${count(media.brokenLinks, "link")} broken`,
    media.privateExposed > 0 && `${count(media.privateExposed, "private file")} exposed`,
  ];
}

export function lostThings(r: Report): number {
  return kinds.reduce((sum, k) => sum + r.ledger.lost[k] + (r.backLedger?.lost[k] ?? 0), 0);
}

export function twice(r: Report): number {
  return kinds.reduce((sum, k) => sum + r.ledger.duplicated[k] + (r.backLedger?.duplicated[k] ?? 0), 0);
}

import type { Phase } from "./phase";
import type { Raw } from "./raw";

/**
 * Where the media stand on their way to object storage: the furthest phase that has left a trace on the server
 * that has the app. What was begun counts as reached, since it has to be undone on the way back.
 *
 * @param app undefined where it can't be reached.
 */
export function storageAt(app: Raw | undefined): Phase {
  const t = app?.trunkline.storage;
  if (!t) return "survey";
  if (t.cleaned) return "retire";
  if (t.verified && t.switched) return "settle";
  if (t.switched || t.switching || t.links) return "switch";
  if (t.checked) return "shift";
  if (t.begun || t.copied) return "replicate";
  return t.tools || t.announced !== null ? "prepare" : "survey";
}

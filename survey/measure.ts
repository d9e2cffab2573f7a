import type { Disk, Raw } from "./raw";

const GiB = 1024 ** 3;

/** Whether the order of text depends on the C library or ICU at all. */
export function collates(host: Raw): boolean {
  return (
    !["C", "POSIX"].includes(host.postgres?.database?.collate ?? "C") &&
    host.postgres?.database?.provider !== "b"
  );
}

/** What will be copied, with room for the app, packages, WAL and a restored backup beside the database. */
export function neededOnTarget(source: Raw): number {
  const media = source.media?.store === "local" ? (source.media.bytes ?? 0) : 0;
  return (
    (source.postgres?.clusterBytes ?? 0) * 2.2 + media * 1.05 + (source.mastodon?.appBytes ?? 0) + 4 * GiB
  );
}

/** The file system that holds a path. */
export function diskOf(host: Raw, path: string): Disk | undefined {
  return host.disks
    .filter((d) => d.mount === "/" || path === d.mount || path.startsWith(`${d.mount}/`))
    .sort((a, b) => b.mount.length - a.mount.length)[0];
}

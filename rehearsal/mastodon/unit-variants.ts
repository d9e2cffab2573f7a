import { units } from "./units";
import { type Layout, moved, type Variant } from "./variant";

type Files = Record<string, string>;

/** The unit files of this installation, drop-ins included, by their path below /etc/systemd/system. */
export function unitFiles(jemalloc: boolean, layout: Layout, v: Variant): Files {
  const official = units(jemalloc);
  const shaped = v.units === "classic" ? classic(official) : v.units === "split" ? split(official) : official;
  const placed = Object.entries(shaped).map(([name, text]) => [name, moved(text, layout)]);
  return { ...Object.fromEntries(placed), ...(v.media ? mounted(layout) : {}) };
}

/** Up to 4.1 streaming was one unit with its port in it. */
function classic(official: Files): Files {
  const { "mastodon-streaming@.service": template = "", ...rest } = official;
  const one = template
    .replace(/^(PartOf|ReloadPropagatedFrom)=.*\n/gm, "")
    .replaceAll("%i", "4000")
    .replace(" mastodon-streaming.service", "");
  return { ...rest, "mastodon-streaming.service": one };
}

/** As the scaling guide has it: a unit for each load, one of them called as nobody would expect, and drop-ins. */
function split(official: Files): Files {
  const { "mastodon-sidekiq.service": sidekiq = "", ...rest } = official;
  const streaming = rest["mastodon-streaming.service"] ?? "";
  const of = (queues: string, threads: number) =>
    sidekiq
      .replace("sidekiq -c 25", `sidekiq -c ${threads} ${queues}`)
      .replace("DB_POOL=25", `DB_POOL=${threads}`);
  return {
    ...rest,
    "mastodon-sidekiq-default.service": of("-q default,8 -q push,6 -q mailers,2 -q pull -q fasp", 10),
    "mastodon-sidekiq-scheduler.service": of("-q scheduler", 2),
    "toots-from-afar.service": of("-q ingress", 8),
    "mastodon-streaming.service": streaming.replace(
      /^Wants=.*$/m,
      "Wants=mastodon-streaming@4000.service mastodon-streaming@4001.service",
    ),
    "mastodon-web.service.d/override.conf": "[Service]\nEnvironment=MAX_THREADS=8 MALLOC_ARENA_MAX=2\n",
    "mastodon-sidekiq-default.service.d/nice.conf": "[Service]\nNice=5\n",
  };
}

/** The official units may write below the app's folder only, and should not start without the disk. */
function mounted({ media, units: { web, sidekiq } }: Layout): Files {
  const text = `[Unit]\nRequiresMountsFor=${media}\n[Service]\nReadWritePaths=${media}\n`;
  return Object.fromEntries([...web, ...sidekiq].map((unit) => [`${unit}.service.d/media.conf`, text]));
}

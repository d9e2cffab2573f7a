/** What the app's units stand on: is it carried with them? */
import { type Check, error, risk } from "../finding";
import { wayOf } from "../install";
import type { Mastodon, Unit } from "../raw-app";
import { reached } from "../phase";

const system = /^\/(usr\/)?s?bin\/(env|bash|sh|dash|echo|true|nice|ionice|node|nodejs|flock|timeout)$/;

function unitsOf(app: Mastodon): Unit[] {
  return [...app.units.web, ...app.units.sidekiq, ...app.units.streaming];
}

function within(path: string, app: Mastodon): boolean {
  return [app.home, app.dir].some((folder) => path.startsWith(`${folder}/`));
}

export const programs: Check = (seen) => {
  const { source, target, at } = seen;
  const app = source?.mastodon;
  if (!app || reached(at, "shift")) return null;
  if (wayOf(seen) === "official") return otherRuby(app);
  const far = unitsOf(app).filter((u) => u.program && !within(u.program, app) && !system.test(u.program));
  return (
    far.length > 0 &&
    risk(
      "program-elsewhere",
      "units run programs that are not carried",
      far.map((u) => `${u.name} runs ${u.program}`).join(", "),
      `only ${app.home} and ${app.dir} are carried: install the same Ruby or Node at the same place on the target (${target?.host.name ?? "once it is there, in prepare"})`,
    )
  );
};

/** The official way brings rbenv's shims and what the app's own folder has. */
function otherRuby(app: Mastodon) {
  const brought = (path: string) =>
    [`${app.home}/.rbenv/shims/`, `${app.dir}/bin/`].some((f) => path.startsWith(f));
  const other = unitsOf(app).filter((u) => u.program && !brought(u.program) && !system.test(u.program));
  return (
    other.length > 0 &&
    error(
      "program-not-installed",
      "units run programs that the official way does not install",
      other.map((u) => `${u.name} runs ${u.program}`).join(", "),
      `let them run ${app.home}/.rbenv/shims/bundle and /usr/bin/node, or take a target of the source's release, to which all is carried`,
    )
  );
}

export const variables: Check = ({ source }) => {
  const app = source?.mastodon;
  const far = app ? unitsOf(app).flatMap((u) => u.environmentFiles.filter((f) => !within(f, app))) : [];
  return (
    far.length > 0 &&
    error(
      "environment-elsewhere",
      "units read variables from files that are not carried",
      [...new Set(far)].join(", "),
      `put them into ${app?.env.path}, or the file into ${app?.dir} (and daemon-reload)`,
    )
  );
};

export const listening: Check = ({ source, at }) => {
  const app = source?.mastodon;
  if (!app || reached(at, "shift")) return null;
  const said = unitsOf(app).flatMap((u) => u.listening.map((l) => ({ unit: u.name, ...l })));
  return (
    said.length > 0 &&
    error(
      "listening",
      "where a process listens is said in a way that is not carried",
      said.map((l) => `${l.unit}: ${l.line}`).join("; "),
      `say it in the unit alone, under [Service]: ${[...new Set(said.map((l) => `${l.instead} (systemctl edit ${l.unit})`))].join(", ")}; take the other line out, restart the unit, and see that nginx leads there`,
    )
  );
};

/** Starts and stops others, and serves nothing itself: mastodon-streaming.service since Mastodon 4.2. */
const umbrella = /\/(echo|true)$/;

/** From prepare on the target has been told which units there are. A masked one has no file that could be carried. */
export const unused: Check = ({ source, at }) => {
  const app = source?.mastodon;
  if (!app || reached(at, "prepare")) return null;
  const idle = Object.values(app.units).flatMap((kind) => {
    const units = kind.filter((u) => !umbrella.test(u.program));
    if (!units.some((u) => u.active === "active")) return [];
    return units.filter((u) => /^(inactive|failed)$/.test(u.active) && /^(disabled|masked)$/.test(u.enabled));
  });
  return (
    idle.length > 0 &&
    (idle.some((u) => u.enabled === "masked") ? error : risk)(
      "unit-unused",
      "units of Mastodon lie there that the source no longer uses",
      idle.map((u) => `${u.name} is ${u.active} and ${u.enabled}`).join(", "),
      "each unit that is there is carried, enabled and started on the target: one more Sidekiq, or a second process for the same port. Move its file out of /etc/systemd/system (of a masked one the link) and `systemctl daemon-reload`; if it is in use, enable and start it",
    )
  );
};

const known =
  /^(-\.mount|mastodon[\w@-]*\.service|(postgresql|redis|valkey|network|nginx|multi-user|basic|sysinit)[\w@-]*\.\w+)$/;

export const needs: Check = ({ source, at }) => {
  const app = source?.mastodon;
  if (!app || reached(at, "shift")) return null;
  const own = unitsOf(app).map((u) => u.name);
  const odd = unitsOf(app).flatMap((u) =>
    u.needs.filter((n) => !known.test(n) && !own.includes(n)).map((n) => `${u.name} needs ${n}`),
  );
  return (
    odd.length > 0 &&
    risk(
      "unit-needs",
      "units do not start without others that are not carried",
      [...new Set(odd)].join(", "),
      "make them on the target in prepare, or say Wants= instead of Requires= there (a folder for media is made in any case)",
    )
  );
};

export const shadowed: Check = ({ source }) => {
  const files = source?.mastodon?.env.shadows ?? [];
  return (
    files.length > 0 &&
    error(
      "environment-beside",
      "variables of the host stand in a file beside .env.production",
      files.map(({ file, names }) => `${names.join(", ")} in ${file}`).join("; "),
      "move them into .env.production (and restart the app): there the target's are exchanged for its own, in the other file the source's would win",
    )
  );
};

export const services: Check = ({ source }) => {
  const nearby = source?.mastodon?.env.nearby ?? [];
  return (
    nearby.length > 0 &&
    risk(
      "local-service",
      "the app uses services of this server that are not carried",
      nearby.join(", "),
      "from shift on it runs on the target, where nothing answers there: name a server that both reach, or install the same on the target in prepare (for mail one that takes it from localhost) and accept this",
    )
  );
};

export const root: Check = ({ source }) =>
  source?.mastodon?.uid === 0 &&
  error(
    "app-as-root",
    "Mastodon runs as root",
    `${source.mastodon.dir} belongs to root`,
    "give it a user of its own first: root's home is not carried to another server",
  );

export const linked: Check = ({ source }) => {
  const app = source?.mastodon;
  return (
    app &&
    app.realDir !== app.dir &&
    !within(app.realDir, app) &&
    error(
      "app-linked",
      "the app's folder is a link that leads elsewhere",
      `${app.dir} is ${app.realDir}`,
      `set mastodonDir to ${app.realDir}, and let the units work in it (WorkingDirectory=): the link's goal would not be carried`,
    )
  );
};

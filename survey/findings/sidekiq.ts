import { type Check, error, note, older, warning } from "../finding";
import { reached } from "../phase";

export const queues: Check = ({ source }) => {
  const units = source?.mastodon?.units.sidekiq.filter((u) => u.enabled !== "disabled") ?? [];
  if (!units.length || units.some((u) => !u.queues.length)) return null;
  const all = [
    "default",
    "push",
    "ingress",
    "mailers",
    "pull",
    "scheduler",
    ...(older(source?.mastodon?.version ?? "0", "4.4") ? [] : ["fasp"]),
  ];
  const gone = all.filter((q) => !units.some((u) => u.queues.includes(q)));
  if (!gone.length) return null;
  const evidence = `no Sidekiq unit of the source works on ${gone.join(", ")}`;
  return gone.includes("ingress")
    ? error(
        "sidekiq-ingress",
        "nothing works on what other servers send",
        evidence,
        "add -q ingress to a unit: without it no post of others arrives, here or there",
      )
    : warning(
        "sidekiq-queues",
        "some queues are worked on by nobody",
        evidence,
        "add them with -q to a unit",
      );
};

export const schedulers: Check = ({ source }) => {
  const many = (source?.mastodon?.units.sidekiq ?? []).filter(
    (u) => u.active === "active" && (!u.queues.length || u.queues.includes("scheduler")),
  );
  return (
    many.length > 1 &&
    warning(
      "sidekiq-schedulers",
      "more than one Sidekiq process schedules",
      many.map((u) => u.name).join(", "),
      "give all but one explicit queues without scheduler",
    )
  );
};

export const customUnits: Check = ({ source }) => {
  const { web = [], sidekiq = [], streaming = [] } = source?.mastodon?.units ?? {};
  const custom = [...web, ...sidekiq, ...streaming].filter((u) => u.custom).map((u) => u.name);
  return (
    custom.length &&
    note(
      "custom-units",
      "the source has units of its own",
      custom.join(", "),
      "nothing: they are carried with their drop-ins, quieted, drained and stopped like the others",
    )
  );
};

export const notRunning: Check = ({ source, at }) => {
  if (!source?.mastodon || reached(at, "shift")) return null;
  const { web, sidekiq } = source.mastodon.units;
  const dead = [web, sidekiq]
    .filter((units) => units.length && !units.some((u) => u.active === "active"))
    .map((units) => units[0]?.name);
  return (
    dead.length &&
    error(
      "not-running",
      "the source's Mastodon is not running",
      `${dead.join(", ")}: not active`,
      "start it and see that it works: a migration moves a live instance, and tells by it whether the new one lives",
    )
  );
};

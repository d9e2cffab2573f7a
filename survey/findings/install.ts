/** Where the app is installed anew (appInstall): is it what runs on the source? */
import { type Check, error, risk, type Seen, warning } from "../finding";
import { factsOf } from "../facts";
import { wayOf } from "../install";
import type { Checkout } from "../raw-app";
import { reached } from "../phase";

/** The source's app, where it is to be installed anew and does not serve there yet. */
function installed(seen: Seen) {
  const app = seen.source?.mastodon;
  return app && !app.compose && !reached(seen.at, "shift") && wayOf(seen) === "official" ? app : null;
}

export const localChanges: Check = (seen) => {
  const app = installed(seen);
  const lost = app?.git ? ownOf(app.git, seen.migration.app.ref) : [];
  return (
    lost.length > 0 &&
    risk(
      "local-changes",
      "the app is installed anew, and parts of it are this server's own",
      `${app?.dir}: ${lost.join(", ")}`,
      "commit them to a repository that can be read over https, and name it (appRepository, appRef); or copy them by hand between prepare and shift; or take a target of the source's release, to which all is carried",
    )
  );
};

/** What git would not bring to another server, in words. */
function ownOf(git: Checkout, ref: string): string[] {
  const shown = [...git.changed.map((f) => `${f} (changed)`), ...git.own.map((f) => `${f} (not in git)`)];
  const head = git.published || ref ? [] : [`commit ${git.head.slice(0, 10)} (on no branch of a remote)`];
  const more = git.count - Math.min(shown.length, 10);
  return [...head, ...shown.slice(0, 10), ...(more > 0 ? [`${more} more`] : [])];
}

export const repository: Check = (seen) => {
  const app = installed(seen);
  if (!app || !seen.source || seen.migration.app.repository) return null;
  const { SOURCE_REPOSITORY: from, SOURCE_REF: ref } = factsOf(seen.source);
  if (!from.startsWith("https://"))
    return error(
      "repository",
      "the target can't fetch the app's code",
      `origin of ${app.dir} is ${from}`,
      "set appRepository to an https address of it that needs no password",
    );
  if (app.git) return null;
  if (app.version.includes("+"))
    return error(
      "repository",
      "the source runs a fork, and where its code is can't be told",
      `${app.dir} has ${app.version}, and is no git checkout that could be read`,
      "set appRepository and appRef",
    );
  return warning(
    "no-checkout",
    "whether the app was changed on the source can't be told",
    `${app.dir} is no git checkout that could be read; ${ref} of ${from} is installed`,
    "if it was, set appRepository and appRef to a repository with the changes",
  );
};

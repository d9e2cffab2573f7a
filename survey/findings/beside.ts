/** What the app leans on besides its own parts, and no step carries. */
import { type Check, warning } from "../finding";
import { reached } from "../phase";

export const onion: Check = ({ source, at }) =>
  !reached(at, "switch") &&
  !!source?.mastodon?.beside.onion.length &&
  warning(
    "onion",
    "not carried: what makes the instance reachable by Tor, or lets it reach others",
    source.mastodon.beside.onion.join("; "),
    "between prepare and shift, on the target: install tor, copy its lines of torrc and its HiddenServiceDir (the key in it is the name; owner and modes as they are), and nginx's server block for the name, its proxy_pass to where web and streaming listen; http_hidden_proxy needs its proxy there too. At shift stop tor on the source: its onion site would lead to an app that is stopped",
  );

export const jobs: Check = ({ source, at }) =>
  !reached(at, "switch") &&
  !!source?.mastodon?.beside.jobs.length &&
  warning(
    "jobs",
    "not carried: what cron, timers and other units do for the app",
    source.mastodon.beside.jobs.join("; "),
    "make them on the target once it serves, and take them out on the source at shift: there they would go on with the source's own files",
  );

/** They are not only about the app's user and folder, and are told until there is nothing left to save. */
export const backups: Check = ({ source, at }) =>
  !reached(at, "retire") &&
  !!source?.mastodon?.beside.backups.length &&
  warning(
    "backups",
    "not carried: the source's own backups",
    source.mastodon.beside.backups.join("; "),
    "from switch on they save a standby and files that grow old, after retire nothing, and their rotation throws the good ones away: set them up on the target once it serves, with a place of their own, stop them on the source at switch, and keep its last ones",
  );

/** Mail, Matrix, XMPP, a game: they are asked by a name, and it may be one that moves. */
export const listeners: Check = ({ source, at }) => {
  const others = source?.mastodon?.beside.listening.filter((l) => l.port !== source.sshd?.port) ?? [];
  return (
    others.length > 0 &&
    !reached(at, "switch") &&
    warning(
      "other-services",
      "other services of the source answer on ports of their own",
      others.map((l) => `${l.port} (${l.by})`).join(", "),
      "from switch on the names that move lead to the target, where none of them answers: one that is asked by such a name (mail's MX and server, SRV and .well-known of Matrix and XMPP) needs a name that stays, before that. For others nothing",
    )
  );
};

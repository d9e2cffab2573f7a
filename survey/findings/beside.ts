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

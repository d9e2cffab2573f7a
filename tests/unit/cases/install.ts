import { type Filled, source, target } from "../raws";
import { cloud, migration } from "../configs";
import { type Case, inCloud, onTarget, seen, there } from "./worlds";

/** The app is installed anew, on a target of the source's own release. */
const anew = (change: (s: Filled) => void = () => undefined, config: Record<string, string> = {}) =>
  seen({ source: source(change), migration: migration({ appInstall: "official", ...config }) });

const git = (change: Partial<NonNullable<Filled["mastodon"]["git"]>>) => (s: Filled) =>
  void Object.assign(there(s.mastodon.git), change);

export const install: Case[] = [
  [
    "release",
    "error",
    /source debian-12, target debian-13/,
    seen({ target: target((t) => (t.host.os.version = "13")), migration: migration({ appInstall: "copy" }) }),
  ],
  [
    "release",
    "error",
    /target ubuntu-24.04/,
    inCloud({}, { migration: migration({ appInstall: "copy", serverImage: "ubuntu-24.04" }, cloud) }),
  ],
  ["release", "warning", /source debian-12, target debian-13/, onTarget((t) => (t.host.os.version = "13"))],
  ["release", "warning", /target ubuntu-24.04/, inCloud({ serverImage: "ubuntu-24.04" })],
  ["release", "note", /target debian-13/, inCloud({ appInstall: "official", serverImage: "debian-13" })],
  [
    "local-changes",
    "error",
    /live: commit 3f2a3f2a3f \(on no branch of a remote\), app\/x.rb \(changed\), public\/our.css \(not in git\)/,
    anew(git({ published: false, changed: ["app/x.rb"], own: ["public/our.css"], count: 2 })),
  ],
  [
    "repository",
    "error",
    /origin of \/home\/mastodon\/live is git@github.com:me\/mastodon.git/,
    anew(git({ origin: "git@github.com:me/mastodon.git" })),
  ],
  [
    "repository",
    "error",
    /4\.5\.3\+glitch, and is no git checkout/,
    anew((s) => Object.assign(s.mastodon, { git: null, version: "4.5.3+glitch" })),
  ],
  [
    "no-checkout",
    "warning",
    /v4\.5\.3 of https:\/\/github.com\/mastodon\/mastodon.git is installed/,
    anew((s) => (s.mastodon.git = null)),
  ],
  [
    "program-not-installed",
    "error",
    /mastodon-web.service runs \/home\/mastodon\/.rvm\/bin\/bundle/,
    anew((s) => (there(s.mastodon.units.web[0]).program = "/home/mastodon/.rvm/bin/bundle")),
  ],
];

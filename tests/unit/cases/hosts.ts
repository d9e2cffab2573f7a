import { type Case, GiB, inCloud, never, onSource, onTarget, seen } from "./worlds";
import { now, source, target, traces } from "../raws";
import { migration } from "../configs";

const peer = { address: "203.0.113.7:22", error: null };

export const hosts: Case[] = [
  [
    "source-unreachable",
    "error",
    /no answer/,
    seen({
      source: undefined,
      at: "survey",
      migration: migration({ phase: "prepare" }),
      unreachable: { source: "no answer" },
    }),
  ],
  ["target-booting", "note", /refused/, inCloud({}, { unreachable: { target: "refused" } })],
  ["target-unreachable", "error", /refused/, seen({ target: undefined, unreachable: { target: "refused" } })],
  [
    "still-starting",
    "error",
    /Postgres 15\/main on the target new/,
    onTarget((t) => t.starting.push("Postgres 15/main")),
  ],
  [
    "target-down",
    "error",
    /Postgres and Redis on the target new/,
    seen({
      source: source(traces.switch),
      target: target((t) => {
        Object.assign(t, { mastodon: source().mastodon, postgres: { ...source().postgres, role: "down" } });
        t.trunkline.journal = { direction: "forward", step: "done", done: true, promoted: true };
      }),
    }),
  ],
  [
    "follower-down",
    "warning",
    /it is down/,
    seen({ source: source((s) => (traces.switch(s), (s.postgres.role = "down"))) }),
  ],
  ["no-way-back", "error", /phase is settle/, seen({ source: source(traces.retire) })],
  [
    "data-on-target",
    "error",
    /stands at switch/,
    seen({ source: source(traces.switch), migration: migration({ phase: "survey" }) }),
  ],
  ["arch", "error", /source x86_64, target aarch64/, onTarget((t) => (t.host.arch = "aarch64"))],
  ["arch", "error", /source x86_64, target aarch64/, inCloud({ serverType: "cax21" })],
  [
    "libc",
    "error",
    /source musl 1.2, target glibc/,
    onSource((s) => (s.host.libc = { kind: "musl", version: "1.2" })),
  ],
  [
    "collation",
    "warning",
    /glibc 2.36, target glibc 2.41; .*en_US/,
    onTarget((t) => (t.host.libc.version = "2.41")),
  ],
  ["distance", "note", /12 ms .* 0.4 s longer/, onTarget((t) => (t.peer = { ...peer, rttMs: 12 }))],
  ["distance", "warning", /80 ms .* 2.4 s longer/, onTarget((t) => (t.peer = { ...peer, rttMs: 80 }))],
  ["os", "error", /Alpine/, onSource((s) => (s.host.os = { id: "alpine", version: "3.20", name: "Alpine" }))],
  ["no-rsync", "error", /source old has no rsync/, onSource((s) => (s.tools["rsync"] = null))],
  ["python-too-old", "error", /source old has 3.8.10/, onSource((s) => (s.host.python = "3.8.10"))],
  [
    "no-root",
    "error",
    /admin on the source/,
    onSource((s) => (s.host.login = { user: "admin", root: false, sudo: false })),
  ],
  [
    "sshd-forwarding",
    "error",
    /AllowTcpForwarding is no/,
    onSource((s) => (s.sshd.allowTcpForwarding = "no")),
  ],
  ["sshd-reverse-forwarding", "error", /is local/, onSource((s) => (s.sshd.allowTcpForwarding = "local"))],
  ["sshd-gateway-ports", "error", /GatewayPorts is yes/, onSource((s) => (s.sshd.gatewayPorts = "yes"))],
  [
    "ssh-limited",
    "error",
    /^-A ufw-user-input .* --hitcount 6/,
    onSource(
      (s) =>
        (s.sshd.limits = [
          "-A ufw-user-input -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -m recent --update --seconds 30 --hitcount 6 -j ufw-user-limit",
        ]),
    ),
  ],
  ["clock", "error", /source's clock .* 90 s apart/, onSource((s) => (s.host.clock.epochMs = now - 90_000))],
  [
    "clock-drift",
    "warning",
    /target's clock .* 10 s apart/,
    onTarget((t) => (t.host.clock.epochMs = now + 10_000)),
  ],
  [
    "source-disk",
    "error",
    /\/ has 5.0 GiB free/,
    onSource((s) => ((s.disks[0] ?? never()).freeBytes = 5 * GiB)),
  ],
  [
    "target-disk",
    "error",
    /30 GiB free, about 5\d GiB needed/,
    onTarget((t) => ((t.disks[0] ?? never()).freeBytes = 30 * GiB)),
  ],
  ["memory", "warning", /source 8.0 GiB, target 2.0 GiB/, onTarget((t) => (t.host.memoryBytes = 2 * GiB))],
  [
    "unread",
    "note",
    /permission denied/,
    onSource((s) => s.unread.push({ what: "sshd -T", why: "permission denied" })),
  ],
  [
    "survey-slow",
    "error",
    /the source old: units: systemctl took longer/,
    onSource((s) => s.unread.push({ what: "units", why: "systemctl took longer than 8 s" })),
  ],
];

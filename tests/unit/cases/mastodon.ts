import { type Case, onSource, onTarget, seen, there } from "./worlds";
import type { Raw } from "../../../survey/raw";
import { source, target, traces, unit } from "../raws";

/** The app serves on the target, which differs in one thing. */
const shifted = (change: (app: NonNullable<Raw["mastodon"]>) => void) =>
  seen({
    source: source(traces.shift),
    target: target((t) => change((t.mastodon = there(source().mastodon)))),
  });

export const mastodon: Case[] = [
  ["mastodon-missing", "error", /no unit/, onSource((s) => Object.assign(s, { mastodon: null }))],
  [
    "mastodon-composed",
    "error",
    /the project mastodon in \/opt\/mastodon/,
    onSource((s) =>
      Object.assign(s.mastodon, {
        compose: {
          ...{ dir: "/opt/mastodon", files: ["/opt/mastodon/docker-compose.yml"], project: "mastodon" },
          ...{ cli: "docker compose", database: "db", media: "/opt/mastodon/public/system" },
          ...{ webAddress: "127.0.0.1:3000", streamingAddresses: ["127.0.0.1:4000"] },
        },
      }),
    ),
  ],
  ["facts-missing", "error", /^MEDIA_DIR$/, onSource((s) => (s.media.dir = ""))],
  [
    "local-domain",
    "error",
    /domain is social.example, the source's LOCAL_DOMAIN is other.example/,
    onSource((s) => (s.mastodon.env.values["LOCAL_DOMAIN"] = "other.example")),
  ],
  [
    "web-units",
    "error",
    /^mastodon-web.service, mastodon-web-2.service$/,
    onSource((s) => s.mastodon.units.web.push(unit("mastodon-web-2.service"))),
  ],
  [
    "media-url",
    "error",
    /https:\/\/static.social.example/,
    onSource((s) => (s.mastodon.env.values["PAPERCLIP_ROOT_URL"] = "https://static.social.example/system")),
  ],
  ["mastodon-too-old", "error", /3.5.19/, onSource((s) => (s.mastodon.version = "3.5.19"))],
  ["self-destruct", "error", /SELF_DESTRUCT/, onSource((s) => s.mastodon.env.keys.push("SELF_DESTRUCT"))],
  [
    "secrets-missing",
    "error",
    /SECRET_KEY_BASE in/,
    onSource((s) => delete s.mastodon.env.hashes["SECRET_KEY_BASE"]),
  ],
  ["secrets-missing", "error", /OTP_SECRET/, onSource((s) => (s.mastodon.version = "4.2.9"))],
  [
    "vapid-missing",
    "warning",
    /VAPID_PUBLIC_KEY/,
    onSource((s) => delete s.mastodon.env.hashes["VAPID_PUBLIC_KEY"]),
  ],
  [
    "secrets-differ",
    "error",
    /^SECRET_KEY_BASE, VAPID_PUBLIC_KEY$/,
    shifted(({ env: { hashes } }) => {
      hashes["SECRET_KEY_BASE"] = "other";
      delete hashes["VAPID_PUBLIC_KEY"];
    }),
  ],
  ["releases-differ", "error", /^source 4.5.3, target 4.5.2$/, shifted((app) => (app.version = "4.5.2"))],
  [
    "program-elsewhere",
    "error",
    /mastodon-web.service runs \/usr\/local\/bin\/bundle/,
    onSource(
      (s) => (s.mastodon.units.web = [unit("mastodon-web.service", { program: "/usr/local/bin/bundle" })]),
    ),
  ],
  [
    "environment-elsewhere",
    "error",
    /^\/etc\/mastodon.env$/,
    onSource((s) => {
      s.mastodon.units.web = [unit("mastodon-web.service", { environmentFiles: ["/etc/mastodon.env"] })];
    }),
  ],
  [
    "listening",
    "error",
    /^mastodon-web.service: -p 3001 in ExecStart=$/,
    onSource((s) => {
      const listening = [{ line: "-p 3001 in ExecStart=", instead: "Environment=PORT=3001" }];
      s.mastodon.units.web = [unit("mastodon-web.service", { listening })];
    }),
  ],
  [
    "onion",
    "warning",
    /the name abc.onion; HiddenServiceDir \/var\/lib\/tor\/mastodon in/,
    onSource((s) =>
      s.mastodon.beside.onion.push(
        "the name abc.onion",
        "HiddenServiceDir /var/lib/tor/mastodon in /etc/tor/torrc",
      ),
    ),
  ],
  [
    "jobs",
    "warning",
    /^tootctl media remove in \/var\/spool\/cron\/crontabs\/mastodon$/,
    onSource((s) => s.mastodon.beside.jobs.push("tootctl media remove in /var/spool/cron/crontabs/mastodon")),
  ],
  [
    "unit-unused",
    "error",
    /^mastodon-sidekiq-old.service is inactive and disabled, mastodon-streaming.service is failed and disabled$/,
    onSource(({ mastodon: { units } }) => {
      units.sidekiq.push(unit("mastodon-sidekiq-old.service", { active: "inactive", enabled: "disabled" }));
      units.streaming.push(unit("mastodon-streaming.service", { active: "failed", enabled: "disabled" }));
    }),
  ],
  [
    "other-services",
    "warning",
    /^25 \(postfix@-.service\)$/,
    onSource(({ mastodon: { beside } }) =>
      beside.listening.push({ port: 25, by: "postfix@-.service" }, { port: 22, by: "systemd" }),
    ),
  ],
  [
    "backups",
    "warning",
    /^pg_dump in \/etc\/cron.d\/dump; borgmatic.timer$/,
    onSource((s) => s.mastodon.beside.backups.push("pg_dump in /etc/cron.d/dump", "borgmatic.timer")),
  ],
  [
    "unit-needs",
    "error",
    /mastodon-web.service needs mastodon-web.socket$/,
    onSource(
      (s) =>
        (s.mastodon.units.web = [
          unit("mastodon-web.service", { needs: ["mastodon-web.socket", "redis-server.service"] }),
        ]),
    ),
  ],
  [
    "unit-needs",
    "error",
    /mastodon-web.service needs mnt-media.mount/,
    onSource((s) => (s.mastodon.units.web = [unit("mastodon-web.service", { needs: ["mnt-media.mount"] })])),
  ],
  ["app-linked", "error", /is \/srv\/releases\/7/, onSource((s) => (s.mastodon.realDir = "/srv/releases/7"))],
  ["app-as-root", "error", /belongs to root/, onSource((s) => (s.mastodon.uid = 0))],
  [
    "sidekiq-ingress",
    "error",
    /works on ingress/,
    onSource(
      (s) =>
        (s.mastodon.units.sidekiq = [
          unit("a", { queues: ["default", "push", "mailers", "pull", "scheduler", "fasp"] }),
        ]),
    ),
  ],
  [
    "sidekiq-queues",
    "warning",
    /works on fasp/,
    onSource(
      (s) =>
        (s.mastodon.units.sidekiq = [
          unit("a", { queues: ["default", "push", "ingress", "mailers", "pull", "scheduler"] }),
        ]),
    ),
  ],
  [
    "sidekiq-schedulers",
    "warning",
    /a, b/,
    onSource((s) => (s.mastodon.units.sidekiq = [unit("a"), unit("b")])),
  ],
  [
    "custom-units",
    "note",
    /mastodon-sidekiq-push/,
    onSource((s) =>
      s.mastodon.units.sidekiq.push(
        unit("mastodon-sidekiq-push.service", { custom: true, queues: ["push"] }),
      ),
    ),
  ],
  [
    "not-running",
    "error",
    /mastodon-web.service/,
    onSource((s) => (s.mastodon.units.web = [unit("mastodon-web.service", { active: "failed" })])),
  ],
  ["media-elsewhere", "note", /s3/, onSource((s) => (s.media.store = "s3"))],
  ["media-missing", "error", /public\/system/, onSource((s) => (s.media.exists = false))],
  [
    "media-not-mounted",
    "error",
    /box:media at \/mnt\/media/,
    onSource((s) => (s.media.expected = { mount: "/mnt/media", what: "box:media", mounted: false })),
  ],
  ["nothing-encrypted", "note", /two-factor/, onSource((s) => (s.mastodon.encryptedRows = 0))],
  [
    "search",
    "error",
    /ES_HOST is es.internal/,
    onSource((s) => Object.assign(s.mastodon.env.values, { ES_ENABLED: "true", ES_HOST: "es.internal" })),
  ],
  ["read-replica", "error", /REPLICA_DB_NAME/, onSource((s) => s.mastodon.env.keys.push("REPLICA_DB_NAME"))],
  ["target-in-use", "error", /live/, onTarget((t) => (t.mastodon = source().mastodon))],
  [
    "environment-beside",
    "error",
    /^DB_HOST, DB_PORT in .home.mastodon.live..env.local$/,
    onSource((s) =>
      s.mastodon.env.shadows.push({ file: "/home/mastodon/live/.env.local", names: ["DB_HOST", "DB_PORT"] }),
    ),
  ],
  [
    "local-service",
    "error",
    /^SMTP_SERVER is not set, LDAP_HOST is 127.0.0.1$/,
    onSource((s) => s.mastodon.env.nearby.push("SMTP_SERVER is not set", "LDAP_HOST is 127.0.0.1")),
  ],
  ["mail", "note", /SMTP_SERVER is not set/, seen()],
  [
    "mail",
    "note",
    /SMTP_SERVER is smtp.example$/,
    onSource(({ mastodon: { env } }) => {
      env.values["SMTP_SERVER"] = "smtp.example";
      env.hashes["SMTP_LOGIN"] = "hash";
    }),
  ],
  [
    "mail",
    "warning",
    /^SMTP_SERVER is smtp.example, SMTP_LOGIN is not set$/,
    onSource((s) => (s.mastodon.env.values["SMTP_SERVER"] = "smtp.example")),
  ],
];

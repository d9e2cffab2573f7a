/** What is true of Mastodon 4.5, each with where it can be checked; the tests hold the stand-in to every row. */
export interface Fact {
  fact: string;
  source: string;
}

const dist = (file: string) => `mastodon v4.5.15 dist/${file}`;

/** Lines that a unit must have. */
export const unitLines: (Fact & { unit: string; line: string })[] = [
  ...(
    [
      ["mastodon-web.service", "Type=simple"],
      ["mastodon-web.service", "User=mastodon"],
      ["mastodon-web.service", "WorkingDirectory=/home/mastodon/live"],
      ["mastodon-web.service", 'Environment="RAILS_ENV=production"'],
      ["mastodon-web.service", 'Environment="PORT=3000"'],
      ["mastodon-web.service", "ExecStart=/home/mastodon/.rbenv/shims/bundle exec puma -C config/puma.rb"],
      ["mastodon-web.service", "ExecReload=/bin/kill -SIGUSR1 $MAINPID"],
      ["mastodon-web.service", "TimeoutSec=15"],
      ["mastodon-web.service", "Restart=always"],
      ["mastodon-web.service", "After=network.target"],
      ["mastodon-web.service", "ProtectSystem=strict"],
      ["mastodon-web.service", "ReadWritePaths=/home/mastodon/live"],
      ["mastodon-web.service", "PrivateUsers=true"],
      ["mastodon-sidekiq.service", 'Environment="DB_POOL=25"'],
      ["mastodon-sidekiq.service", 'Environment="MALLOC_ARENA_MAX=2"'],
      ["mastodon-sidekiq.service", "ExecStart=/home/mastodon/.rbenv/shims/bundle exec sidekiq -c 25"],
      ["mastodon-sidekiq.service", "TimeoutSec=15"],
      ["mastodon-sidekiq.service", "Restart=always"],
      ["mastodon-streaming.service", "Type=oneshot"],
      ["mastodon-streaming.service", "RemainAfterExit=yes"],
      ["mastodon-streaming.service", "Wants=mastodon-streaming@4000.service"],
      ["mastodon-streaming@.service", "PartOf=mastodon-streaming.service"],
      ["mastodon-streaming@.service", "ReloadPropagatedFrom=mastodon-streaming.service"],
      ["mastodon-streaming@.service", 'Environment="NODE_ENV=production"'],
      ["mastodon-streaming@.service", 'Environment="PORT=%i"'],
      ["mastodon-streaming@.service", "ExecStart=/usr/bin/node ./streaming"],
      ["mastodon-streaming@.service", "LimitNOFILE=65536"],
      ["mastodon-streaming@.service", "WantedBy=multi-user.target mastodon-streaming.service"],
    ] as const
  ).map(([unit, line]) => ({ unit, line, fact: `${unit} says ${line}`, source: dist(unit) })),
];

/** What the site of the official guide does. */
export const siteLines: (Fact & { line: string })[] = [
  "server 127.0.0.1:3000 fail_timeout=0;",
  "server 127.0.0.1:4000 fail_timeout=0;",
  "least_conn;",
  "client_max_body_size 99m;",
  "proxy_cache_path /var/cache/nginx levels=1:2 keys_zone=CACHE:10m inactive=7d max_size=1g;",
  "location ~ ^/system/ {",
  "location ^~ /api/v1/streaming {",
  "proxy_cache_valid 410 24h;",
  "error_page 404 500 501 502 503 504 /500.html;",
].map((line) => ({ line, fact: `the site has ${line}`, source: dist("nginx.conf") }));

/** A start with this environment ends with status 1 and says why. `""` unsets. */
export const refusals: (Fact & { environment: Record<string, string>; says: RegExp })[] = [
  {
    fact: "REDIS_NAMESPACE stops the boot since 4.4",
    source: "mastodon v4.4.0 CHANGELOG",
    environment: { REDIS_NAMESPACE: "mastodon" },
    says: /REDIS_NAMESPACE/,
  },
  {
    fact: "a production boot needs SECRET_KEY_BASE",
    source: "rails v8.0 application/configuration",
    environment: { SECRET_KEY_BASE: "" },
    says: /secret_key_base/,
  },
  ...["PRIMARY_KEY", "DETERMINISTIC_KEY", "KEY_DERIVATION_SALT"].map((name) => ({
    fact: `a boot needs ACTIVE_RECORD_ENCRYPTION_${name} since 4.3`,
    source: "mastodon v4.5.15 config/initializers/active_record_encryption.rb",
    environment: { [`ACTIVE_RECORD_ENCRYPTION_${name}`]: "" },
    says: new RegExp(`ACTIVE_RECORD_ENCRYPTION_${name} is missing`),
  })),
  {
    fact: "the example keys of the development environment are refused",
    source: "mastodon v4.5.15 config/initializers/active_record_encryption.rb",
    environment: { ACTIVE_RECORD_ENCRYPTION_PRIMARY_KEY: "xyz_DO_NOT_USE_IN_PRODUCTION" },
    says: /example value/,
  },
  {
    fact: "without RAILS_ENV=production it is another database",
    source: "docs.joinmastodon.org admin/troubleshooting",
    environment: { RAILS_ENV: "" },
    says: /mastodon_development/,
  },
];

const cli = (name: string) => `mastodon v4.5.15 lib/mastodon/cli/${name}.rb`;

/** The options of a command, complete, with the default after `=`. */
export const toolOptions: (Fact & { command: string; options: string[] })[] = (
  [
    [
      "media remove",
      "media",
      "days=7 prune-profiles remove-headers include-follows concurrency=5 verbose dry-run",
    ],
    ["media refresh", "media", "status account domain days concurrency=5 verbose dry-run force"],
    ["media usage", "media", ""],
    ["media lookup", "media", ""],
    ["media remove-orphans", "media", "start-after prefix fix-permissions dry-run"],
    ["cache clear", "cache", ""],
    ["cache recount", "cache", "concurrency=5 verbose"],
    ["feeds build", "feeds", "all concurrency=5 verbose dry-run skip-filled-timelines"],
    ["feeds clear", "feeds", ""],
    ["feeds vacuum", "feeds", ""],
    ["preview_cards remove", "preview_cards", "days=180 concurrency=5 verbose dry-run link"],
    ["maintenance fix-duplicates", "maintenance", ""],
    ["search deploy", "search", "concurrency=5 batch-size=100 only import clean reset-chewy only-mapping"],
    ["accounts backup", "accounts", ""],
    ["settings registrations open", "settings", ""],
    ["settings registrations close", "settings", ""],
  ] as const
).map(([command, file, options]) => ({
  command,
  options: options.split(" ").filter(Boolean),
  fact: `tootctl ${command} has exactly these options: ${options || "none"}`,
  source: cli(file),
}));

/** Queues and weights, and how often a job class is tried again. */
export const queues: Fact & { weights: Record<string, number> } = {
  fact: "the queues and their weights",
  source: "mastodon v4.5.15 config/sidekiq.yml",
  weights: { default: 8, push: 6, ingress: 4, mailers: 2, pull: 1, scheduler: 1, fasp: 1 },
};

/** What becomes of a delivery by its answer. */
export const answers: (Fact & { status: number; final: boolean })[] = (
  [
    [400, true],
    [401, false],
    [403, true],
    [404, true],
    [408, false],
    [410, true],
    [413, true],
    [422, true],
    [429, false],
    [500, false],
    [501, true],
    [502, false],
    [503, false],
  ] as const
).map(([status, final]) => ({
  status,
  final,
  fact: `${status} ${final ? "ends the delivery" : "is tried again"}`,
  source: "mastodon v4.5.15 app/helpers/json_ld_helper.rb response_error_unsalvageable?",
}));

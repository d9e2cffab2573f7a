const description = { web: "mastodon-web", sidekiq: "mastodon-sidekiq" };

// What the official units lock down; a unit whose files lie elsewhere needs ReadWritePaths.
const hardening = `# Capabilities
CapabilityBoundingSet=
# Security
NoNewPrivileges=true
# Sandboxing
ProtectSystem=strict
ReadWritePaths=/home/mastodon/live
PrivateTmp=true
PrivateDevices=true
PrivateUsers=true
ProtectHostname=true
ProtectKernelLogs=true
ProtectKernelModules=true
ProtectKernelTunables=true
ProtectControlGroups=true
RestrictAddressFamilies=AF_INET AF_INET6 AF_NETLINK AF_UNIX
RestrictNamespaces=true
LockPersonality=true
RestrictRealtime=true
RestrictSUIDSGID=true
RemoveIPC=true
PrivateMounts=true
ProtectClock=true
# System Call Filtering
SystemCallArchitectures=native
SystemCallFilter=~@cpu-emulation @debug @keyring @ipc @mount @obsolete @privileged @setuid
SystemCallFilter=pipe pipe2`;

function service(o: {
  name: string;
  environment: string[];
  start: string;
  extra?: string;
  unit?: string;
  wanted?: string;
}): string {
  return `[Unit]
Description=${o.name}
After=network.target
${o.unit ?? ""}
[Service]
Type=simple
User=mastodon
WorkingDirectory=/home/mastodon/live
${o.environment.map((e) => `Environment="${e}"`).join("\n")}
ExecStart=${o.start}
${o.extra ?? ""}TimeoutSec=15
Restart=always
${hardening}

[Install]
WantedBy=multi-user.target${o.wanted ?? ""}
`;
}

const bundle = "/home/mastodon/.rbenv/shims/bundle exec";

/**
 * The units of a source install, by file name. `jemalloc`: whether the library that the official units preload is there;
 * without it the loader would complain on every start.
 */
export function units(jemalloc: boolean): Record<string, string> {
  const preload = jemalloc ? ["LD_PRELOAD=libjemalloc.so"] : [];
  return {
    "mastodon-web.service": service({
      name: description.web,
      environment: ["RAILS_ENV=production", "PORT=3000", ...preload],
      start: `${bundle} puma -C config/puma.rb`,
      extra: "ExecReload=/bin/kill -SIGUSR1 $MAINPID\n",
    }),
    "mastodon-sidekiq.service": service({
      name: description.sidekiq,
      environment: ["RAILS_ENV=production", "DB_POOL=25", "MALLOC_ARENA_MAX=2", ...preload],
      start: `${bundle} sidekiq -c 25`,
    }),
    "mastodon-streaming.service": `[Unit]
Description=Mastodon Streaming API service (all of its instances)
After=network.target
Wants=mastodon-streaming@4000.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/echo "mastodon-streaming exists only to start and stop its instances"

[Install]
WantedBy=multi-user.target
`,
    "mastodon-streaming@.service": service({
      name: "Mastodon Streaming API on port %i",
      unit: "PartOf=mastodon-streaming.service\nReloadPropagatedFrom=mastodon-streaming.service\n",
      environment: ["NODE_ENV=production", "PORT=%i"],
      start: "/usr/bin/node ./streaming",
      extra: "LimitNOFILE=65536\n",
      wanted: " mastodon-streaming.service",
    }),
  };
}

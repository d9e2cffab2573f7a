import { VERSION } from "../app/config";

/** Where the admin keeps it. */
export const folder = "/opt/mastodon";

/** The container of a service, by the name that Debian's Compose gives it. */
export const container = (service: string) => `mastodon_${service}_1`;

const check = (command: string) => `    healthcheck:\n      test: ['CMD-SHELL', "${command}"]\n`;
const answers = (address: string) =>
  check(`curl -s --noproxy localhost localhost:${address} | grep -q 'OK' || exit 1`);

/**
 * docker-compose.yml as the official one of 4.5 has it, with one difference: database and Redis are Debian's images instead
 * of Alpine's. `postgres`: the major version that is there.
 */
export const composeFile = (postgres: string) => `# The Compose project of a Mastodon server.
services:
  db:
    restart: always
    image: docker.io/library/postgres:${postgres}-bookworm
    shm_size: 256mb
    networks:
      - internal_network
    healthcheck:
      test: ['CMD', 'pg_isready', '-U', 'postgres']
    volumes:
      - ./postgres${postgres}:/var/lib/postgresql/data
    environment:
      - 'POSTGRES_HOST_AUTH_METHOD=trust'

  redis:
    restart: always
    image: docker.io/library/redis:7-bookworm
    networks:
      - internal_network
    healthcheck:
      test: ['CMD', 'redis-cli', 'ping']
    volumes:
      - ./redis:/data

${app("web", "mastodon", "bundle exec puma -C config/puma.rb")}\
${answers("3000/health")}\
    ports:
      - '127.0.0.1:3000:3000'
    volumes:
      - ./public/system:/mastodon/public/system

${app("streaming", "mastodon-streaming", "node ./streaming/index.js")}\
${answers("4000/api/v1/streaming/health")}\
    ports:
      - '127.0.0.1:4000:4000'

${app("sidekiq", "mastodon", "bundle exec sidekiq")}\
    volumes:
      - ./public/system:/mastodon/public/system
${check("ps aux | grep '[s]idekiq\\\\ 8' || false")}
networks:
  external_network:
  internal_network:
    internal: true
`;

const app = (service: string, image: string, command: string) => `  ${service}:
    image: ghcr.io/mastodon/${image}:v${VERSION}
    restart: always
    env_file: .env.production
    command: ${command}
    networks:
      - external_network
      - internal_network
    depends_on:
      - db
      - redis
`;

/**
 * Podman in a host of the lab: no control groups of its own are to be had there, and no overlay on an overlay. Logs go where
 * they outlive their container.
 */
export const podman = {
  "/etc/containers/containers.conf": `[containers]\ncgroups = "disabled"\nkeyring = false\nlog_driver = "journald"\n\n[engine]\nruntime = "crun"\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n`,
  "/etc/containers/storage.conf": `[storage]\ndriver = "vfs"\nrunroot = "/run/containers/storage"\ngraphroot = "/var/lib/containers/storage"\n`,
};

/**
 * On a server udev gives a bridge a hardware address of its own (MACAddressPolicy=persistent). Without it, as in a host of the lab,
 * it takes its lowest port's, another one when a container comes or goes; what the others send to the address that they know is
 * lost until they ask again, connections and questions to the name server alike (measured: 732 of 983 connections).
 */
export const bridges = {
  "/usr/local/lib/bridges.sh": `#!/bin/bash
keep() {
  for bridge in /sys/class/net/*/bridge; do
    device=\${bridge%/bridge}
    [[ ! -e $bridge || $(cat "$device/addr_assign_type") == 3 ]] || ip link set "\${device##*/}" address "$(cat "$device/address")"
  done
}
ip -o monitor link | { keep; while read -r _; do keep; done; }
`,
  "/etc/systemd/system/bridges.service": `[Unit]
Description=Bridges keep their hardware addresses, as udev has it on a server
Before=podman-restart.service

[Service]
ExecStart=/bin/bash /usr/local/lib/bridges.sh
Restart=always

[Install]
WantedBy=multi-user.target
`,
};

/**
 * The command `docker` with Debian's packages: `docker compose` is docker-compose, which speaks to Podman's socket. Podman knows
 * no links, and today's Compose makes none: this one would for `run` of a service that is up.
 */
export const docker = `#!/usr/bin/python3
import os
import sys

if sys.argv[1:2] != ["compose"]:
    os.execvp("podman", ["podman", *sys.argv[1:]])
os.environ["DOCKER_HOST"] = "unix:///run/podman/podman.sock"
from compose.cli.main import main
from compose.service import Service

links = Service._get_links
Service._get_links = lambda self, link_to_self: links(self, False)
sys.argv[:2] = ["docker compose"]
sys.exit(main())
`;

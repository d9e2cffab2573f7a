import type { Fact } from "./facts";

const source = "mastodon v4.5.15 docker-compose.yml";
const app = {
  restart: "always",
  env_file: ".env.production",
  networks: ["external_network", "internal_network"],
};
const inside = { restart: "always", networks: ["internal_network"] };

/** What the services of the official Compose project say. Postgres and Redis are of Debian here, so their images differ. */
export const composeFacts: (Fact & { service: string; says: Record<string, unknown> })[] = [
  {
    fact: "the web server is Puma, reached from this machine only, with public/system outside",
    source,
    service: "web",
    says: {
      ...app,
      image: "ghcr.io/mastodon/mastodon:v4.5.15",
      command: "bundle exec puma -C config/puma.rb",
      ports: ["127.0.0.1:3000:3000"],
      volumes: ["./public/system:/mastodon/public/system"],
      healthcheck: {
        test: ["CMD-SHELL", "curl -s --noproxy localhost localhost:3000/health | grep -q 'OK' || exit 1"],
      },
    },
  },
  {
    fact: "streaming has an image of its own since 4.3",
    source: `${source}, mastodon/mastodon#32437`,
    service: "streaming",
    says: {
      ...app,
      image: "ghcr.io/mastodon/mastodon-streaming:v4.5.15",
      command: "node ./streaming/index.js",
      ports: ["127.0.0.1:4000:4000"],
      volumes: undefined,
    },
  },
  {
    fact: "Sidekiq has no options, and no grace period but Docker's 10 s",
    source,
    service: "sidekiq",
    says: {
      ...app,
      command: "bundle exec sidekiq",
      stop_grace_period: undefined,
      volumes: ["./public/system:/mastodon/public/system"],
      healthcheck: { test: ["CMD-SHELL", "ps aux | grep '[s]idekiq\\ 8' || false"] },
    },
  },
  {
    fact: "the database trusts whoever reaches it",
    source,
    service: "db",
    says: {
      ...inside,
      shm_size: "256mb",
      environment: ["POSTGRES_HOST_AUTH_METHOD=trust"],
      volumes: ["./postgres15:/var/lib/postgresql/data"],
      healthcheck: { test: ["CMD", "pg_isready", "-U", "postgres"] },
    },
  },
  {
    fact: "Redis keeps its data beside",
    source,
    service: "redis",
    says: { ...inside, volumes: ["./redis:/data"], healthcheck: { test: ["CMD", "redis-cli", "ping"] } },
  },
];

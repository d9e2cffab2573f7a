/** Postgres, PgBouncer and Redis of the old server, as their admin has set them up. */
import type { Host } from "./install";
import { schema } from "./schema";
import type { Secrets } from "./secrets";
import type { Variant } from "./variant";

/** Role, database and schema. The role has a password too: whether it is used is up to the environment file. */
export async function database(host: Host, secrets: Secrets, v: Variant): Promise<void> {
  if (v.cluster) await cluster(host, v.cluster);
  const port = v.cluster?.port ?? 5432;
  const role = `CREATE ROLE mastodon LOGIN CREATEDB PASSWORD '${secrets.database.replaceAll("'", "''")}';\n`;
  await host.sh(
    `systemctl enable --quiet --now postgresql
     timeout 60 bash -c 'until runuser -u postgres -- pg_isready -q -p ${port}; do sleep 0.2; done'
     runuser -u postgres -- psql --quiet --no-psqlrc -p ${port} -v ON_ERROR_STOP=1
     runuser -u postgres -- createdb -p ${port} -O mastodon mastodon_production`,
    { input: role },
  );
  await host.sh(
    `runuser -u postgres -- psql --quiet --no-psqlrc -p ${port} --single-transaction -v ON_ERROR_STOP=1 -d mastodon_production`,
    { input: `SET ROLE mastodon;\n${schema()}` },
  );
  if (v.pgbouncer) await pooled(host, secrets, port);
}

/** A cluster of the admin's own instead of the package's, in a locale that no other server need have. */
async function cluster(host: Host, c: NonNullable<Variant["cluster"]>): Promise<void> {
  const [language = "", charset = "UTF-8"] = (c.locale ?? "en_US.UTF-8").split(".");
  await host.sh(`
    major=$(ls /usr/lib/postgresql)
    localedef -i ${language} -f ${charset} ${language}.${charset}
    pg_dropcluster --stop "$major" main
    pg_createcluster "$major" ${c.name ?? "main"} --port ${c.port ?? 5432} --locale ${language}.${charset} --encoding UTF8 >/dev/null
    systemctl daemon-reload`);
}

/** As Mastodon's guide to scaling has it. */
async function pooled(host: Host, secrets: Secrets, port: number): Promise<void> {
  const ini = `[databases]
mastodon_production = host=127.0.0.1 port=${port} dbname=mastodon_production user=mastodon
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = 6432
auth_type = scram-sha-256
auth_file = /etc/pgbouncer/userlist.txt
pool_mode = transaction
max_client_conn = 200
default_pool_size = 20
logfile = /var/log/postgresql/pgbouncer.log
pidfile = /var/run/postgresql/pgbouncer.pid
unix_socket_dir = /var/run/postgresql
ignore_startup_parameters = extra_float_digits,statement_timeout
`;
  await host.put("/etc/pgbouncer/pgbouncer.ini", ini);
  await host.put(
    "/etc/pgbouncer/userlist.txt",
    `"mastodon" "${secrets.database.replaceAll('"', '""')}"\n`,
    0o600,
  );
  await host.sh(
    `chown postgres: /etc/pgbouncer/*; systemctl enable --quiet pgbouncer; systemctl restart pgbouncer`,
  );
}

/** Redis as Debian has it, with the login that the variant asks for. */
export async function redis(host: Host, secrets: Secrets, v: Variant, user: string): Promise<void> {
  const quoted = (text: string) => `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
  const lines = {
    plain: "",
    password: `requirepass ${quoted(secrets.redis)}\n`,
    url: `requirepass ${quoted(secrets.redis)}\n`,
    acl: `user mastodon on ${quoted(`>${secrets.redis}`)} ~* &* +@all\nuser default off\n`,
    socket: "unixsocket /run/redis/redis-server.sock\nunixsocketperm 770\n",
  }[v.redis ?? "plain"];
  await host.sh(
    `${v.redis === "socket" ? `usermod -aG redis ${user}` : ":"}
     cat >>/etc/redis/redis.conf; systemctl enable --quiet redis-server; systemctl restart redis-server`,
    { input: lines },
  );
}

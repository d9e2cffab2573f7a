import type { Door } from "../load";
import { addresses, app, type Side, type Site } from "../site";

export const door: Door = { host: "127.0.0.1", port: 6432, ...app };

const ini = "/etc/pgbouncer/bench.database.ini";

/** PgBouncer on the new server, as Debian sets it up, in front of one of the two Postgres servers over the network. */
export async function startPooler(site: Site, side: Side): Promise<void> {
  const host = site.target;
  await host.put("/etc/pgbouncer/userlist.txt", `"${app.user}" "${app.password}"\n`);
  await pointPooler(site, side);
  await host.put("/etc/pgbouncer/pgbouncer.ini", configuration);
  await host.exec(["systemctl", "restart", "pgbouncer"]);
}

/** Writes where the primary is; PgBouncer learns of it by RELOAD. */
export async function pointPooler(site: Site, side: Side): Promise<void> {
  await site.target.sh(repointCommand(side));
}

/** A command of PgBouncer's console. */
export async function pooler(site: Site, command: string): Promise<void> {
  await site.target.sh(consoleCommand(command));
}

/** The shell for the two above, where a tool has to call it by itself. */
export const repointCommand = (side: Side) => `printf '%s' '${pointing(side)}' >${ini}`;
export const consoleCommand = (command: string) =>
  `runuser -u postgres -- psql -XAtq -h /var/run/postgresql -p ${door.port} -U pgbouncer pgbouncer -c '${command}'`;

const pointing = (side: Side) => `[databases]\n${app.database} = host=${addresses[side]} port=5432\n`;

const configuration = `[pgbouncer]
listen_addr = ${door.host}
listen_port = ${door.port}
unix_socket_dir = /var/run/postgresql
logfile = /var/log/postgresql/pgbouncer.log
pidfile = /var/run/postgresql/pgbouncer.pid
auth_type = scram-sha-256
auth_file = /etc/pgbouncer/userlist.txt
pool_mode = transaction
; At its default of 15 s, a login that PAUSE cuts off makes 15 s of the pause. No tool's documentation says so; all get it.
server_login_retry = 1
%include ${ini}
`;

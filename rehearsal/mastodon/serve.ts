import type { Host, InstallOptions } from "./install";

/** nginx on the host: certificates where certbot keeps them, links and renewal settings included, and the site. */
export async function serve(host: Host, o: InstallOptions, site: string): Promise<void> {
  const le = "/etc/letsencrypt";
  await host.sh(`install -d -m 0755 ${le}/renewal; install -d -m 0700 ${le}/live ${le}/archive
    install -d ${le}/live/${o.domain} ${le}/archive/${o.domain}`);
  const [leaf = "", ...chain] = o.certificate.cert
    .split(/(?<=-----END CERTIFICATE-----\n)/)
    .filter((c) => c.trim());
  const parts = {
    cert: leaf,
    chain: chain.join(""),
    fullchain: o.certificate.cert,
    privkey: o.certificate.key,
  };
  for (const [name, text] of Object.entries(parts)) {
    await host.put(`${le}/archive/${o.domain}/${name}1.pem`, text, name === "privkey" ? 0o600 : 0o644);
    await host.sh(`ln -sfn ../../archive/${o.domain}/${name}1.pem ${le}/live/${o.domain}/${name}.pem`);
  }
  const names = Object.keys(parts).map((name) => `${name} = ${le}/live/${o.domain}/${name}.pem\n`);
  const renewal = `version = 2.1.0\narchive_dir = ${le}/archive/${o.domain}\n${names.join("")}\n[renewalparams]\nauthenticator = nginx\n`;
  await host.put(`${le}/renewal/${o.domain}.conf`, renewal);
  await host.put("/etc/nginx/sites-available/mastodon", site);
  await host.sh(`rm -f /etc/nginx/sites-enabled/default
    ln -sfn /etc/nginx/sites-available/mastodon /etc/nginx/sites-enabled/mastodon
    install -d -o www-data /var/cache/nginx
    nginx -t -q
    systemctl enable --quiet nginx; systemctl restart nginx`);
}

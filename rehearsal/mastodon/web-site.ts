/** nginx of the old server: certificates where certbot keeps them, the instance's site, and what else is served there. */
import { generateKeyPairSync } from "node:crypto";
import type { Host, InstallOptions } from "./install";
import { nginxSite } from "./nginx";
import { behindCdn, extraFiles, localDomainSite, neighbourSite, withExtras } from "./site-variants";
import { type Layout, moved, type SiteVariant, type Variant } from "./variant";

export async function web(
  host: Host,
  layout: Layout,
  o: InstallOptions & { variant: Variant },
): Promise<void> {
  const { webDomain } = layout;
  const site = o.variant.site ?? {};
  await lineage(host, webDomain, o.certificate);
  for (const [file, text] of Object.entries(siteFiles(layout, o.domain, site)))
    await host.put(`/etc/nginx/${file}`, text);
  if (site.neighbour && o.neighbour) {
    await lineage(host, site.neighbour, o.neighbour);
    await host.put(`/etc/nginx/sites-available/${site.neighbour}`, neighbourSite(site.neighbour));
    await host.sh(`install -d /var/www/${site.neighbour}; echo shop >/var/www/${site.neighbour}/index.html`);
  }
  await enableSites(host);
}

/** Every file of the instance's site, by its path below /etc/nginx. */
function siteFiles(layout: Layout, domain: string, site: SiteVariant): Record<string, string> {
  const { webDomain } = layout;
  const main = site.file ?? "sites-available/mastodon";
  let text = moved(nginxSite(webDomain, { root: "/home/mastodon/live/public" }), layout);
  if (layout.media !== `${layout.live}/public/system`) text = text.replace(...mediaFolder(layout.media));
  if (site.behind) text = behindCdn(text);
  if (site.extras) text = withExtras(text);
  const files = site.spread ? spread(main, text) : { [main]: text };
  if (webDomain !== domain) files["sites-available/accounts"] = localDomainSite(domain, webDomain);
  return { ...files, ...extraFiles(site) };
}

/** Files elsewhere than below public need an alias. */
const mediaFolder = (media: string): [RegExp, string] => [
  /location ~ \^\/system\/ \{([\s\S]*?)try_files \$uri =404;/,
  `location ^~ /system/ {\n    alias ${media}/;$1`,
];

/** Plain HTTP, maps and upstreams in a file of their own, as some admins sort them. */
function spread(main: string, text: string): Record<string, string> {
  const at = text.indexOf("server {\n  listen 443");
  return { "conf.d/mastodon-plain.conf": text.slice(0, at), [main]: text.slice(at) };
}

/** Links every site and starts nginx. */
export async function enableSites(host: Host): Promise<void> {
  await host.sh(`rm -f /etc/nginx/sites-enabled/default
    for site in /etc/nginx/sites-available/*; do
      [[ $site == */default ]] || ln -sfn "$site" "/etc/nginx/sites-enabled/\${site##*/}"
    done
    install -d -o www-data /var/cache/nginx
    nginx -t -q
    systemctl enable --quiet nginx; systemctl restart nginx`);
}

/** certbot's own name of its account with the authority. */
const account = "0123456789abcdef0123456789abcdef";

/** A certificate where certbot keeps it, with links, renewal settings, and the account that it was got with. */
export async function lineage(host: Host, name: string, pair: { cert: string; key: string }): Promise<void> {
  const le = "/etc/letsencrypt";
  await host.sh(`install -d -m 0755 ${le}/renewal; install -d -m 0700 ${le}/live ${le}/archive
    install -d ${le}/live/${name} ${le}/archive/${name}`);
  const [leaf = "", ...chain] = pair.cert.split(/(?<=-----END CERTIFICATE-----\n)/).filter((c) => c.trim());
  const parts = { cert: leaf, chain: chain.join(""), fullchain: pair.cert, privkey: pair.key };
  for (const [part, text] of Object.entries(parts)) {
    await host.put(`${le}/archive/${name}/${part}1.pem`, text, part === "privkey" ? 0o600 : 0o644);
    await host.sh(`ln -sfn ../../archive/${name}/${part}1.pem ${le}/live/${name}/${part}.pem`);
  }
  const names = Object.keys(parts).map((part) => `${part} = ${le}/live/${name}/${part}.pem\n`);
  const params = `account = ${account}\nauthenticator = nginx\ninstaller = nginx\nserver = https://acme.example/directory\nkey_type = ecdsa\n`;
  const renewal = `version = 2.1.0\narchive_dir = ${le}/archive/${name}\n${names.join("")}\n[renewalparams]\n${params}`;
  await host.put(`${le}/renewal/${name}.conf`, renewal);
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const files = {
    private_key: privateKey.export({ format: "jwk" }),
    regr: { body: {}, uri: "https://acme.example/account/1" },
    meta: { creation_dt: "2026-01-01T00:00:00Z", creation_host: "old" },
  };
  const folder = `${le}/accounts/acme.example/directory/${account}`;
  await host.sh(`install -d -m 0700 ${le}/accounts ${folder}`);
  for (const [file, content] of Object.entries(files))
    await host.put(`${folder}/${file}.json`, JSON.stringify(content), 0o400);
}

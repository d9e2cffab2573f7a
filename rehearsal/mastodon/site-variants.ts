/** What admins do to the guide's nginx site. */
import type { SiteVariant } from "./variant";

const security = `add_header X-Frame-Options SAMEORIGIN always;
add_header Permissions-Policy "interest-cohort=()" always;
`;

/** Locations that do not belong to Mastodon, one of which hands on to it with a limit of its own. */
const locations = `
  # Ours
  location = /.well-known/matrix/server {
    default_type application/json;
    return 200 '{"m.server": "matrix.social.example:443"}';
  }
  location ^~ /donate { return 302 https://donate.example/social; }
  location ~* \\.(php|aspx)$ { return 404; }
  location /auth/sign_up {
    limit_req zone=signups burst=20 nodelay;
    try_files $uri @proxy;
  }
`;

/** A snippet before everything else of the TLS server, and locations at its end. */
export function withExtras(text: string): string {
  return text
    .replace(
      /^server \{\n {2}listen 80/m,
      (found) => `limit_req_zone $binary_remote_addr zone=signups:1m rate=30r/m;\n\n${found}`,
    )
    .replace("  gzip on;\n", "  include snippets/security.conf;\n\n  gzip on;\n")
    .replace("\n  error_page 404 500", `${locations}\n  error_page 404 500`);
}

export function behindCdn(text: string): string {
  return text.replace("  ssl_protocols", "  include snippets/cdn.conf;\n\n  ssl_protocols");
}

export function extraFiles(site: SiteVariant): Record<string, string> {
  const trusted = (site.behind ?? []).map((address) => `set_real_ip_from ${address};\n`).join("");
  return {
    ...(site.behind && { "snippets/cdn.conf": `${trusted}real_ip_header CF-Connecting-IP;\n` }),
    ...(site.extras && { "snippets/security.conf": security }),
  };
}

/** LOCAL_DOMAIN is another name than the site's: whoever looks for an account is sent on, people too. */
export function localDomainSite(domain: string, webDomain: string): string {
  const certificate = `/etc/letsencrypt/live/${webDomain}`;
  return `server {
  listen 80;
  listen 443 ssl http2;
  server_name ${domain};
  ssl_certificate ${certificate}/fullchain.pem;
  ssl_certificate_key ${certificate}/privkey.pem;

  location /.well-known/webfinger {
    add_header Access-Control-Allow-Origin '*';
    return 301 https://${webDomain}$request_uri;
  }
  location / {
    return 302 https://${webDomain}/about;
  }
}
`;
}

export function neighbourSite(name: string): string {
  return `server {
  listen 443 ssl http2;
  server_name ${name};
  ssl_certificate /etc/letsencrypt/live/${name}/fullchain.pem;
  ssl_certificate_key /etc/letsencrypt/live/${name}/privkey.pem;
  root /var/www/${name};
}
`;
}

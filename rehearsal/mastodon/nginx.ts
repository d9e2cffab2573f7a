const age = 'add_header Cache-Control "public, max-age=2419200, must-revalidate";';
const hsts = 'add_header Strict-Transport-Security "max-age=63072000; includeSubDomains";';

const assets = ["assets", "avatars", "emoji", "headers", "packs", "shortcuts", "sounds"];

/** A static folder below public, which browsers may keep for four weeks. */
const folder = (otherwise: string) => (name: string) => `  location ~ ^/${name}/ {
    ${age}
    ${hsts}
    try_files $uri ${otherwise};
  }
`;

export interface SiteOptions {
  /** The folder `public`. */
  root: string;
  /** Where the app's own files are when they are not below the root, as with containers: `@proxy`. @default "=404" */
  otherwise?: string;
}

const forwarded = `    proxy_set_header Host $host;
    proxy_set_header X-Real-IP $remote_addr;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    proxy_set_header X-Forwarded-Proto $scheme;
    proxy_set_header Proxy "";
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $connection_upgrade;`;

/** The site of Mastodon 4.5 as an admin has it after certbot, for /etc/nginx/sites-available/mastodon. */
export function nginxSite(domain: string, { root, otherwise = "=404" }: SiteOptions): string {
  return `map $http_upgrade $connection_upgrade {
  default upgrade;
  ''      close;
}

upstream backend {
  server 127.0.0.1:3000 fail_timeout=0;
}

upstream streaming {
  # Each further instance of mastodon-streaming@ gets a line here.
  least_conn;
  server 127.0.0.1:4000 fail_timeout=0;
}

proxy_cache_path /var/cache/nginx levels=1:2 keys_zone=CACHE:10m inactive=7d max_size=1g;

server {
  listen 80;
  listen [::]:80;
  server_name ${domain};
  root ${root};
  location /.well-known/acme-challenge/ { allow all; }
  location / { return 301 https://$host$request_uri; }
}

server {
  listen 443 ssl http2;
  listen [::]:443 ssl http2;
  server_name ${domain};

  ssl_protocols TLSv1.2 TLSv1.3;
  ssl_prefer_server_ciphers on;
  ssl_session_cache shared:SSL:10m;
  ssl_session_tickets off;
  ssl_certificate     /etc/letsencrypt/live/${domain}/fullchain.pem; # managed by Certbot
  ssl_certificate_key /etc/letsencrypt/live/${domain}/privkey.pem; # managed by Certbot

  keepalive_timeout    70;
  sendfile             on;
  client_max_body_size 99m;

  root ${root};

  gzip on;
  gzip_static on;
  gzip_types text/plain text/css application/json application/javascript image/svg+xml;

  location / {
    try_files $uri @proxy;
  }

  location = /sw.js {
    add_header Cache-Control "public, max-age=604800, must-revalidate";
    ${hsts}
    try_files $uri ${otherwise};
  }

${assets.map(folder(otherwise)).join("\n")}
  location ~ ^/system/ {
    add_header Cache-Control "public, max-age=2419200, immutable";
    ${hsts}
    add_header X-Content-Type-Options nosniff;
    add_header Content-Security-Policy "default-src 'none'; form-action 'none'";
    try_files $uri =404;
  }

  location ^~ /api/v1/streaming {
${forwarded}
    proxy_pass http://streaming;
    proxy_buffering off;
    proxy_redirect off;
    ${hsts}
    tcp_nodelay on;
  }

  location @proxy {
${forwarded}
    proxy_pass_header Server;
    proxy_pass http://backend;
    proxy_buffering on;
    proxy_redirect off;

    proxy_cache CACHE;
    proxy_cache_valid 200 7d;
    proxy_cache_valid 410 24h;
    proxy_cache_use_stale error timeout updating http_500 http_502 http_503 http_504;
    add_header X-Cached $upstream_cache_status;

    tcp_nodelay on;
  }

  error_page 404 500 501 502 503 504 /500.html;
}
`;
}

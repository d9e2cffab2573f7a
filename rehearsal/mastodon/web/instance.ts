import { VERSION } from "../app/config";
import type { Row } from "../app/database";
import { fileUrl } from "../app/file-url";
import { cached } from "../app/instance";
import { key } from "../app/paths";
import { remembered } from "./cached";
import { json, type Request, type Response, text } from "./http";
import { contentSecurityPolicy } from "./policy";

interface Usage {
  users: number;
  month: number;
  halfyear: number;
  statuses: number;
  domains: number;
}

/** Counts, half an hour old at most. The monthly ones are the union of 4 weeks of HyperLogLogs, known only to Redis. */
function usage(r: Request): Promise<Usage> {
  return cached(r, "instance_presenter", 1800, async () => {
    const row = await r.db.one<Row>(
      `SELECT (SELECT count(*) FROM users WHERE confirmed_at IS NOT NULL)::int AS users,
         (SELECT count(*) FROM statuses WHERE local)::int AS statuses, (SELECT count(*) FROM instances)::int AS domains`,
    );
    const [month, halfyear] = await Promise.all([active(r, 28), active(r, 168)]);
    return { ...(row as unknown as Usage), month, halfyear };
  });
}

function active(r: Request, days: number): Promise<number> {
  const today = Math.floor(Date.now() / 86_400_000) * 86_400;
  const keys = Array.from({ length: days }, (_, n) => `activity:logins:${today - n * 86_400}`);
  return r.redis.call<number>("PFCOUNT", ...keys);
}

async function setting(r: Request, name: string): Promise<string> {
  const row = await r.db.one<Row & { value: string }>("SELECT value FROM settings WHERE var = $1", [name]);
  return (row?.value ?? "")
    .replace(/^--- ?/, "")
    .replace(/\n(\.\.\.\n)?$/, "")
    .replace(/^(['"])(.*)\1$/, "$2");
}

async function thumbnail(r: Request): Promise<string> {
  const row = await r.db.one<Row & { id: string; file_file_name: string }>(
    "SELECT id, file_file_name FROM site_uploads WHERE var = 'thumbnail'",
  );
  if (!row) return `https://${r.config.webDomain}/packs/assets/preview.png`;
  return fileUrl(r.config, key("site_uploads/files", "@1x", { id: row.id, file: row.file_file_name }));
}

export const v2 = (r: Request) => remembered(r, "api/v2/instances/show", () => showV2(r));

async function showV2(r: Request): Promise<Response> {
  const u = await usage(r);
  const streaming = r.config.env.STREAMING_API_BASE_URL || `wss://${r.config.webDomain}`;
  return json(
    {
      domain: r.config.localDomain,
      title: await setting(r, "site_title"),
      version: VERSION,
      source_url: "https://github.com/mastodon/mastodon",
      description: await setting(r, "site_short_description"),
      usage: { users: { active_month: u.month } },
      thumbnail: { url: await thumbnail(r) },
      languages: ["en"],
      configuration: {
        urls: { streaming },
        vapid: { public_key: r.config.env.VAPID_PUBLIC_KEY ?? "" },
        statuses: { max_characters: 500, max_media_attachments: 4, characters_reserved_per_url: 23 },
        media_attachments: { image_size_limit: 16 << 20, video_size_limit: 99 << 20 },
      },
      registrations: {
        enabled: (await setting(r, "registrations_mode")) !== "none",
        approval_required: false,
      },
      contact: { email: await setting(r, "site_contact_email"), account: null },
      rules: [],
    },
    200,
    { "cache-control": "max-age=0, private, must-revalidate" },
  );
}

export const v1 = (r: Request) => remembered(r, "api/v1/instances/show", () => showV1(r));

async function showV1(r: Request): Promise<Response> {
  const u = await usage(r);
  return json({
    uri: r.config.localDomain,
    title: await setting(r, "site_title"),
    version: VERSION,
    urls: { streaming_api: r.config.env.STREAMING_API_BASE_URL || `wss://${r.config.webDomain}` },
    stats: { user_count: u.users, status_count: u.statuses, domain_count: u.domains },
    thumbnail: await thumbnail(r),
    registrations: (await setting(r, "registrations_mode")) !== "none",
  });
}

export async function nodeinfo(r: Request): Promise<Response> {
  const u = await usage(r);
  return json({
    version: "2.0",
    software: { name: "mastodon", version: VERSION },
    protocols: ["activitypub"],
    services: { outbound: [], inbound: [] },
    usage: {
      users: { total: u.users, activeMonth: u.month, activeHalfyear: u.halfyear },
      localPosts: u.statuses,
    },
    openRegistrations: true,
    metadata: {},
  });
}

export const nodeinfoLinks = async (r: Request): Promise<Response> =>
  json({
    links: [
      {
        rel: "http://nodeinfo.diaspora.software/ns/schema/2.0",
        href: `https://${r.config.webDomain}/nodeinfo/2.0`,
      },
    ],
  });

export const hostMeta = async (r: Request): Promise<Response> =>
  text(
    `<?xml version="1.0" encoding="UTF-8"?>\n<XRD xmlns="http://docs.oasis-open.org/ns/xri/xrd-1.0"><Link rel="lrdd" ` +
      `template="https://${r.config.webDomain}/.well-known/webfinger?resource={uri}"/></XRD>\n`,
    200,
    "application/xrd+xml; charset=utf-8",
  );

export async function peers(r: Request): Promise<Response> {
  const rows = await r.db.rows<Row & { domain: string }>("SELECT domain FROM instances ORDER BY domain");
  return json(rows.map((x) => x.domain));
}

export async function rules(r: Request): Promise<Response> {
  return json(
    await r.db.rows("SELECT id, text, hint FROM rules WHERE deleted_at IS NULL ORDER BY priority, id"),
  );
}

export const emojis = (r: Request) => remembered(r, "api/v1/custom_emojis/index", () => showEmojis(r));

async function showEmojis(r: Request): Promise<Response> {
  const rows = await r.db.rows<Row & { id: string; shortcode: string; image_file_name: string }>(
    "SELECT id, shortcode, image_file_name FROM custom_emojis WHERE domain IS NULL AND NOT disabled ORDER BY shortcode",
  );
  return json(
    rows.map((e) => {
      const stored = { id: e.id, file: e.image_file_name };
      const url = (style: string) => fileUrl(r.config, key("custom_emojis/images", style, stored));
      return {
        shortcode: e.shortcode,
        url: url("original"),
        static_url: url("static"),
        visible_in_picker: true,
      };
    }),
  );
}

/** The pages a browser opens. The real ones are an application; these show that Rails answered, and for whom. */
export async function page(r: Request): Promise<Response> {
  const [, name] = /^\/@([^/]+)/.exec(r.path) ?? [];
  const known =
    !name || (await r.db.one("SELECT 1 FROM accounts WHERE username = $1 AND domain IS NULL", [name]));
  const body = `<!DOCTYPE html><html><head><title>${r.config.localDomain}</title></head><body><div id="mastodon"></div></body></html>`;
  const headers = { "content-security-policy": contentSecurityPolicy(r.config) };
  return { ...text(body, known ? 200 : 404, "text/html; charset=utf-8"), headers };
}

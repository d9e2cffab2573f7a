import type { Fact } from "./facts";

const paperclip = "mastodon v4.5.15 config/initializers/paperclip.rb";
const kt = "kt-paperclip v7 lib/paperclip/storage/s3.rb";
const policy = "mastodon v4.5.15 app/lib/content_security_policy.rb";

export const key = "media_attachments/files/109/123/456/789/012/345/original/0123456789abcdef.png";
const base = { S3_ENABLED: "true", S3_BUCKET: "social-media" };

/** Where a file is to be found, by the environment. */
export const addresses: (Fact & { environment: Record<string, string>; url: string })[] = [
  {
    fact: "without S3_ENABLED a file is the site's own",
    source: paperclip,
    environment: { ...base, S3_ENABLED: "false" },
    url: `https://social.example/system/${key}`,
  },
  {
    fact: "S3_ENABLED is exactly `true`",
    source: paperclip,
    environment: { ...base, S3_ENABLED: "yes", S3_ALIAS_HOST: "media.social.example" },
    url: `https://social.example/system/${key}`,
  },
  {
    fact: "an alias has no bucket in its path",
    source: kt,
    environment: { ...base, S3_ALIAS_HOST: "media.social.example", S3_HOSTNAME: "s3.store.example" },
    url: `https://media.social.example/${key}`,
  },
  {
    fact: "S3_CLOUDFRONT_HOST is another name for it",
    source: paperclip,
    environment: { ...base, S3_CLOUDFRONT_HOST: "d1.cloudfront.example" },
    url: `https://d1.cloudfront.example/${key}`,
  },
  {
    fact: "an alias may have a path",
    source: paperclip,
    environment: { ...base, S3_ALIAS_HOST: "files.example/social" },
    url: `https://files.example/social/${key}`,
  },
  {
    fact: "a host name without alias is followed by the bucket",
    source: kt,
    environment: { ...base, S3_HOSTNAME: "s3.store.example" },
    url: `https://s3.store.example/social-media/${key}`,
  },
  {
    fact: "S3_ENDPOINT says where to write, not where to read",
    source: paperclip,
    environment: { ...base, S3_ENDPOINT: "https://s3.store.example", S3_REGION: "eu-1" },
    url: `https://s3-eu-1.amazonaws.com/social-media/${key}`,
  },
  {
    fact: "a prefix is part of the key and of the address",
    source: paperclip,
    environment: { ...base, S3_ALIAS_HOST: "media.social.example", S3_KEY_PREFIX: "one" },
    url: `https://media.social.example/one/${key}`,
  },
  {
    fact: "S3_PROTOCOL is that of the address",
    source: paperclip,
    environment: { ...base, S3_ALIAS_HOST: "media.social.example", S3_PROTOCOL: "http" },
    url: `http://media.social.example/${key}`,
  },
  {
    fact: "PAPERCLIP_ROOT_URL may be another site's, for files on disk only",
    source: paperclip,
    environment: { PAPERCLIP_ROOT_URL: "https://media.social.example" },
    url: `https://media.social.example/${key}`,
  },
];

interface Sent {
  method: string;
  path: string;
  headers: Record<string, string | undefined>;
}

const cache = { "cache-control": "public, max-age=315576000, immutable", "content-type": "image/png" };

/** What an upload looks like to the store. `host` is that of the path-style endpoint unless told. */
export const uploads: (Fact & { environment: Record<string, string>; archive?: boolean; sent: Sent })[] = [
  {
    fact: "a file is public, immutable, and of its own type",
    source:
      "mastodon v4.5.15 config/initializers/paperclip.rb; in the bucket's path since S3_ENDPOINT is set",
    environment: {},
    sent: {
      method: "PUT",
      path: `/social-media/${key}`,
      headers: { ...cache, "x-amz-acl": "public-read", "x-amz-storage-class": undefined },
    },
  },
  {
    fact: "S3_PERMISSION is the ACL",
    source: paperclip,
    environment: { S3_PERMISSION: "private" },
    sent: { method: "PUT", path: `/social-media/${key}`, headers: { "x-amz-acl": "private" } },
  },
  {
    fact: "an empty S3_PERMISSION sends no ACL",
    source: "mastodon/mastodon#20510",
    environment: { S3_PERMISSION: "" },
    sent: { method: "PUT", path: `/social-media/${key}`, headers: { ...cache, "x-amz-acl": undefined } },
  },
  {
    fact: "an archive is private",
    source: "mastodon v4.5.15 app/models/backup.rb",
    environment: {},
    archive: true,
    sent: { method: "PUT", path: `/social-media/${key}`, headers: { "x-amz-acl": "private" } },
  },
  {
    fact: "unless no ACL is sent at all",
    source: "mastodon v4.5.15 app/models/backup.rb",
    environment: { S3_PERMISSION: "" },
    archive: true,
    sent: { method: "PUT", path: `/social-media/${key}`, headers: { "x-amz-acl": undefined } },
  },
  {
    fact: "S3_OVERRIDE_PATH_STYLE puts the bucket into the host's name",
    source: paperclip,
    environment: { S3_OVERRIDE_PATH_STYLE: "true" },
    sent: { method: "PUT", path: `/${key}`, headers: {} },
  },
  {
    fact: "a prefix comes before the key",
    source: paperclip,
    environment: { S3_KEY_PREFIX: "one" },
    sent: { method: "PUT", path: `/social-media/one/${key}`, headers: {} },
  },
  {
    fact: "S3_STORAGE_CLASS is told",
    source: paperclip,
    environment: { S3_STORAGE_CLASS: "STANDARD_IA" },
    sent: { method: "PUT", path: `/social-media/${key}`, headers: { "x-amz-storage-class": "STANDARD_IA" } },
  },
  {
    fact: "since 4.5.9 an upload has a checksum that old stores refuse",
    source: "mastodon v4.5.9 Gemfile.lock, mastodon/mastodon#36719",
    environment: {},
    sent: {
      method: "PUT",
      path: `/social-media/${key}`,
      headers: { "x-amz-sdk-checksum-algorithm": "CRC32" },
    },
  },
  {
    fact: "AWS_REQUEST_CHECKSUM_CALCULATION=when_required leaves it out",
    source: "mastodon/mastodon#34173",
    environment: { AWS_REQUEST_CHECKSUM_CALCULATION: "when_required" },
    sent: {
      method: "PUT",
      path: `/social-media/${key}`,
      headers: { "x-amz-sdk-checksum-algorithm": undefined, "x-amz-checksum-crc32": undefined },
    },
  },
  {
    fact: "S3_MULTIPART_THRESHOLD counts bytes: 15 sends everything in parts",
    source: "mastodon v4.5.15 config/initializers/paperclip.rb against docs.joinmastodon.org admin/config",
    environment: { S3_MULTIPART_THRESHOLD: "15" },
    sent: {
      method: "POST",
      path: `/social-media/${key}?uploads`,
      headers: { ...cache, "x-amz-acl": "public-read" },
    },
  },
];

/** What pages may load pictures from. */
export const mediaHosts: (Fact & { environment: Record<string, string>; hosts: string[] })[] = [
  { fact: "the site itself", source: policy, environment: {}, hosts: ["https://social.example"] },
  {
    fact: "the alias is the one host, before S3_HOSTNAME",
    source: policy,
    environment: { S3_HOSTNAME: "s3.store.example", S3_ALIAS_HOST: "media.social.example" },
    hosts: ["https://social.example", "https://media.social.example"],
  },
  {
    fact: "S3_HOSTNAME where there is no alias",
    source: policy,
    environment: { S3_HOSTNAME: "s3.store.example" },
    hosts: ["https://social.example", "https://s3.store.example"],
  },
  {
    fact: "EXTRA_MEDIA_HOSTS are whole origins between commas or spaces, since 4.4",
    source: "mastodon v4.4.0 CHANGELOG",
    environment: { EXTRA_MEDIA_HOSTS: "https://a.example,https://b.example https://c.example" },
    hosts: ["https://social.example", "https://a.example", "https://b.example", "https://c.example"],
  },
  {
    fact: "CDN_HOST stands for the site",
    source: policy,
    environment: { CDN_HOST: "https://cdn.social.example" },
    hosts: ["https://cdn.social.example"],
  },
];

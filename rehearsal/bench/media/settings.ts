export const bucket = "social-media";
/** Where the server's media are: on a disk of their own, as on many a server. */
export const mediaFolder = "/srv/media/system";
/** What storage/tools writes: the bucket as rclone and as our own programs know it. */
export const remote = { conf: "/etc/trunkline/storage.conf", json: "/etc/trunkline/storage.json" };

export interface Store {
  endpoint: string;
  accessKey: string;
  secretKey: string;
}

/** What the program tells the storage steps on a server as the official guide has it. */
export function settings({ endpoint, accessKey, secretKey }: Store): Record<string, string> {
  return {
    ...{ SIDE: "source", LAYOUT: "systemd", DOMAIN: "social.example", WEB_DOMAIN: "social.example" },
    ...{ SOURCE_ADDRESS: "198.18.0.10", SOURCE_SSH_PORT: "22", SOURCE_SSH_USER: "root", TARGET_ADDRESS: "" },
    ...{ PG_PORT: "5432", DB_NAME: "mastodon_production", DB_USER: "mastodon", APP_USER: "root" },
    ...{ APP_UID: "0", APP_GID: "0", APP_HOME: "/home/mastodon", APP_DIR: "/home/mastodon/live" },
    ...{ WEB_UNITS: "", SIDEKIQ_UNITS: "", STREAMING_UNITS: "", MEDIA_DIR: mediaFolder },
    ...{ STORE: "other", BUCKET: bucket, ENDPOINT: endpoint, REGION: "us-east-1", PATH_STYLE: "yes" },
    ...{ ACCESS_KEY: accessKey, SECRET_KEY: secretKey, PERMISSION: "", OBJECT_ACL: "no" },
    ...{ PUBLIC_URL: `${endpoint}/${bucket}`, MEDIA_HOST: "media.social.example", MEDIA_CDN: "nginx" },
    ...{ CACHE: "yes", RATE_MIB: "0", SAMPLE: "10000", KEEP_LOCAL: "yes", STORAGE_ENV: "" },
  };
}

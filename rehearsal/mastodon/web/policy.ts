import type { Config } from "../app/config";

/** What a page may load from where. A media host that is not among these shows no pictures in a browser. */
export function contentSecurityPolicy(config: Config): string {
  const own = `https://${config.webDomain}`;
  const media = mediaHosts(config).join(" ");
  const streaming = config.env.STREAMING_API_BASE_URL || `wss://${config.webDomain}`;
  return [
    "base-uri 'none'",
    "default-src 'none'",
    "frame-ancestors 'none'",
    `font-src 'self' ${own}`,
    `img-src 'self' data: blob: ${media}`,
    `media-src 'self' data: ${media}`,
    `manifest-src 'self' ${own}`,
    "form-action 'self'",
    `child-src 'self' blob: ${own}`,
    `worker-src 'self' blob: ${own}`,
    `connect-src 'self' data: blob: ${media} ${streaming}`,
    `script-src 'self' ${own} 'wasm-unsafe-eval'`,
    "frame-src 'self' https:",
    `style-src 'self' ${own}`,
  ].join("; ");
}

/** This site or its CDN, the first media host that is configured, PAPERCLIP_ROOT_URL, and those announced. */
export function mediaHosts({ env, webDomain }: Config): string[] {
  const storage = ["S3_ALIAS_HOST", "S3_CLOUDFRONT_HOST", "AZURE_ALIAS_HOST", "S3_HOSTNAME"]
    .map((name) => env[name])
    .find(Boolean);
  const root = env.PAPERCLIP_ROOT_URL ?? "";
  return [
    env.CDN_HOST || `https://${webDomain}`,
    ...(storage ? [`https://${storage.replace(/(\/.*[^/])$/, "$1/")}`] : []),
    ...(root.startsWith("http") ? [root] : []),
    ...(env.EXTRA_MEDIA_HOSTS ?? "").split(/\s*,\s*|\s+/).filter(Boolean),
  ];
}

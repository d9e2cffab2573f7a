/** What names a stored file besides its class: the row's id, the file's name, and whether it lies under `cache/`. */
export interface Stored {
  id: string | number | bigint;
  file: string;
  cached?: boolean;
}
export type Attachment =
  | "media_attachments/files"
  | "media_attachments/thumbnails"
  | "accounts/avatars"
  | "accounts/headers"
  | "custom_emojis/images"
  | "preview_cards/images"
  | "site_uploads/files"
  | "backups/dumps";

/** An id in groups of three digits: nine digits for small ones, as many as it has for snowflakes. */
export function partition(id: string | number | bigint): string {
  const text = String(id);
  const digits = text.padStart(text.length <= 9 ? 9 : Math.ceil(Math.max(12, text.length) / 3) * 3, "0");
  return digits.match(/\d{3}/g)?.join("/") ?? "";
}

/** The key of one style of a file, below PAPERCLIP_ROOT_PATH or in a bucket. */
export function key(attachment: Attachment, style: string, o: Stored): string {
  const [group, which] = attachment.split("/");
  return `${o.cached ? "cache/" : ""}${group}/${which}/${partition(o.id)}/${style}/${styled(attachment, style, o.file)}`;
}

function styled(attachment: Attachment, style: string, file: string): string {
  const png = file.replace(/\.[^.]*$/, "") + ".png";
  if (style === "original") return file;
  if (style === "small") return /\.(png|jpe?g|webp)$/.test(file) ? file : png;
  return style === "static" || attachment === "site_uploads/files" ? png : file;
}

const siteStyles: Record<string, string[]> = {
  thumbnail: ["@1x", "@2x"],
  favicon: ["16", "32", "48"],
  app_icon: [
    "36",
    "48",
    "57",
    "60",
    "72",
    "76",
    "96",
    "114",
    "120",
    "144",
    "152",
    "167",
    "180",
    "192",
    "256",
    "384",
    "512",
    "1024",
  ],
};

/** The styles that a file has besides `original`. `name` is the `var` of a site upload. */
export function styles(attachment: Attachment, contentType: string, name = ""): string[] {
  switch (attachment) {
    case "media_attachments/files":
      return contentType.startsWith("audio/") ? [] : ["small"];
    case "accounts/avatars":
    case "accounts/headers":
      return contentType === "image/gif" ? ["static"] : [];
    case "custom_emojis/images":
      return ["static"];
    case "site_uploads/files":
      return siteStyles[name] ?? [];
    default:
      return [];
  }
}

/** Every key that one row implies. */
export function keys(attachment: Attachment, contentType: string, o: Stored, name = ""): string[] {
  return ["original", ...styles(attachment, contentType, name)].map((style) => key(attachment, style, o));
}

const extensions: Record<string, string> = {
  "image/png": "png",
  "image/jpeg": "jpeg",
  "image/webp": "webp",
  "image/gif": "gif",
  "video/mp4": "mp4",
  "audio/mpeg": "mp3",
  "application/zip": "zip",
};

/** The extension a file gets by its type; undefined when no file has that type. */
export const extension = (type: string): string | undefined => extensions[type];

/** A file's type, which its name's extension was made from. */
export const contentType = (key: string): string | undefined =>
  Object.keys(extensions).find((type) => key.endsWith(`.${extensions[type]}`));

import type { Instance } from "../../app/instance";
import { keys } from "../../app/paths";
import { cachedMedia, type Media } from "../../app/render";

/** Hides what a suspended account has uploaded, or shows it again: pictures and thumbnails, not faces. */
const permissions = (hidden: boolean) => async (i: Instance, account: string) => {
  const media = await i.db.rows<Media>("SELECT * FROM media_attachments WHERE account_id = $1", [account]);
  for (const m of media) for (const at of files(m)) await i.storage.hide(at, hidden);
};

function files(m: Media): string[] {
  const { id, file_file_name: file, file_content_type: type, thumbnail_file_name: cover } = m;
  return [
    ...(file ? keys("media_attachments/files", type ?? "", { id, file, cached: cachedMedia(m) }) : []),
    ...(cover ? keys("media_attachments/thumbnails", "image/png", { id, file: cover }) : []),
  ];
}

export const suspend = permissions(true);
export const unsuspend = permissions(false);

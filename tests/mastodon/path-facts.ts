import type { Fact } from "./facts";

const paperclip = "mastodon v4.5.15 config/initializers/paperclip.rb";

/** A row's files. */
export const paths: (Fact & {
  attachment: string;
  type: string;
  id: string;
  file: string;
  cached?: boolean;
  var?: string;
  keys: string[];
})[] = [
  {
    fact: "a picture has an original and a small one",
    source: `${paperclip}, app/models/media_attachment.rb`,
    ...{
      attachment: "media_attachments/files",
      type: "image/png",
      id: "109123456789012345",
      file: "0123456789abcdef.png",
    },
    keys: ["original", "small"].map(
      (style) => `media_attachments/files/109/123/456/789/012/345/${style}/0123456789abcdef.png`,
    ),
  },
  {
    fact: "what came from elsewhere lies under cache/",
    source: "mastodon v4.5.15 config/initializers/paperclip.rb",
    ...{
      attachment: "media_attachments/files",
      type: "video/mp4",
      id: "109123456789012345",
      file: "aa.mp4",
      cached: true,
    },
    keys: [
      "cache/media_attachments/files/109/123/456/789/012/345/original/aa.mp4",
      "cache/media_attachments/files/109/123/456/789/012/345/small/aa.png",
    ],
  },
  {
    fact: "a gif's preview is a png",
    source: "mastodon v4.5.15 app/models/media_attachment.rb",
    ...{ attachment: "media_attachments/files", type: "image/gif", id: "109123456789012345", file: "bb.gif" },
    keys: ["original/bb.gif", "small/bb.png"].map(
      (f) => `media_attachments/files/109/123/456/789/012/345/${f}`,
    ),
  },
  {
    fact: "sound has no preview",
    source: "mastodon v4.5.15 app/models/media_attachment.rb",
    ...{ attachment: "media_attachments/files", type: "audio/mpeg", id: "5", file: "cc.mp3" },
    keys: ["media_attachments/files/000/000/005/original/cc.mp3"],
  },
  {
    fact: "a moving avatar has a still one",
    source: "mastodon v4.5.15 app/models/concerns/account/avatar.rb",
    ...{ attachment: "accounts/avatars", type: "image/gif", id: "1234", file: "dd.gif" },
    keys: ["accounts/avatars/000/001/234/original/dd.gif", "accounts/avatars/000/001/234/static/dd.png"],
  },
  {
    fact: "emoji have a still copy, whatever they are",
    source: "mastodon v4.5.15 app/models/custom_emoji.rb",
    ...{ attachment: "custom_emojis/images", type: "image/png", id: "7", file: "ee.png", cached: true },
    keys: ["original", "static"].map((style) => `cache/custom_emojis/images/000/000/007/${style}/ee.png`),
  },
  {
    fact: "a preview card has one picture",
    source: "mastodon v4.5.15 app/models/preview_card.rb",
    ...{
      attachment: "preview_cards/images",
      type: "image/jpeg",
      id: "1000000",
      file: "ff.jpeg",
      cached: true,
    },
    keys: ["cache/preview_cards/images/001/000/000/original/ff.jpeg"],
  },
  {
    fact: "the site's thumbnail has two sizes",
    source: "mastodon v4.5.15 app/models/site_upload.rb",
    ...{ attachment: "site_uploads/files", type: "image/png", id: "1", file: "gg.png", var: "thumbnail" },
    keys: ["original", "@1x", "@2x"].map((style) => `site_uploads/files/000/000/001/${style}/gg.png`),
  },
  {
    fact: "the app's icon has the sizes of Apple's and Android's devices",
    source: "mastodon v4.5.15 app/models/site_upload.rb",
    ...{ attachment: "site_uploads/files", type: "image/png", id: "2", file: "hh.png", var: "app_icon" },
    keys: "original 36 48 57 60 72 76 96 114 120 144 152 167 180 192 256 384 512 1024"
      .split(" ")
      .map((style) => `site_uploads/files/000/000/002/${style}/hh.png`),
  },
  {
    fact: "an archive keeps its long name",
    source: "mastodon v4.5.15 app/services/backup_service.rb",
    ...{
      attachment: "backups/dumps",
      type: "application/zip",
      id: "3",
      file: "archive-20261121000000-00.zip",
    },
    keys: ["backups/dumps/000/000/003/original/archive-20261121000000-00.zip"],
  },
  {
    fact: "a thumbnail of sound from elsewhere lies outside cache/ until 4.6",
    source: "mastodon/mastodon#36911",
    ...{ attachment: "media_attachments/thumbnails", type: "image/png", id: "12", file: "hh.png" },
    keys: ["media_attachments/thumbnails/000/000/012/original/hh.png"],
  },
];

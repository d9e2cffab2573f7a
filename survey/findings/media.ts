import { type Check, error, note } from "../finding";

export const otherStore: Check = ({ source }) => {
  const store = source?.media?.store;
  const nearby = source?.mastodon?.env.nearby.some((line) => /^(S3|SWIFT)_/.test(line));
  return (
    store &&
    store !== "local" &&
    !nearby &&
    note(
      "media-elsewhere",
      "media are in an object store",
      store,
      "nothing: they stay there, and both servers use them",
    )
  );
};

export const mediaMissing: Check = ({ source }) =>
  source?.media?.store === "local" &&
  !source.media.exists &&
  error(
    "media-missing",
    "the media folder is not there",
    source.media.dir,
    "check PAPERCLIP_ROOT_PATH and the mount",
  );

export const mediaMount: Check = ({ source }) =>
  source?.media?.expected &&
  !source.media.expected.mounted &&
  error(
    "media-not-mounted",
    "a mount for the media is not mounted",
    `${source.media.expected.what} at ${source.media.expected.mount}`,
    "mount it: uploads fall onto the disk beneath it now, and what is in it would not be copied",
  );

/** Backblaze B2 by its native API, since buckets and keys can't be made by S3: https://www.backblaze.com/apidocs */
import { ApiError, call } from "./http";
import type { Props, Resource } from "./resource";

const base = process.env["B2_API_URL"] ?? "https://api.backblazeb2.com";

interface Account {
  accountId: string;
  token: string;
  api: string;
  /** https://s3.REGION.backblazeb2.com */
  s3: string;
}

interface Bucket {
  bucketId: string;
  bucketName: string;
  bucketInfo: Record<string, string>;
}

async function authorize(inputs: Props): Promise<Account> {
  const credentials = `${String(inputs["keyId"])}:${String(inputs["key"])}`;
  const answer = await call<{
    accountId: string;
    authorizationToken: string;
    apiInfo: { storageApi: { apiUrl: string; s3ApiUrl: string } };
  }>(`${base}/b2api/v3/b2_authorize_account`, {
    method: "GET",
    headers: { authorization: `Basic ${Buffer.from(credentials).toString("base64")}` },
  });
  const { apiUrl: api, s3ApiUrl: s3 } = answer.apiInfo.storageApi;
  return { accountId: answer.accountId, token: answer.authorizationToken, api, s3 };
}

function ask<T>({ api, token, accountId }: Account, name: string, body: Props): Promise<T> {
  return call<T>(`${api}/b2api/v3/${name}`, {
    headers: { authorization: token },
    body: { accountId, ...body },
  });
}

/** A public bucket, as Mastodon's media need it, marked as made for this instance. */
export const bucket: Resource = {
  replaceOn: ["name"],
  async create(inputs) {
    const account = await authorize(inputs);
    const made = await createOrAdopt(account, inputs);
    return { id: made.bucketId, outputs: outputsOf(account, made.bucketId) };
  },
  async update(id, inputs) {
    const account = await authorize(inputs);
    await ask(account, "b2_update_bucket", { bucketId: id, ...settingsOf(inputs) });
    return outputsOf(account, id);
  },
};

function outputsOf({ s3 }: Account, bucketId: string): Props {
  return { bucketId, endpoint: s3, region: new URL(s3).hostname.split(".")[1] };
}

function settingsOf(inputs: Props): Props {
  return {
    bucketType: "allPublic",
    bucketInfo: { trunkline: inputs["owner"] },
    corsRules: [
      {
        ...{ corsRuleName: "media", allowedOrigins: ["*"], allowedHeaders: ["*"], maxAgeSeconds: 86_400 },
        allowedOperations: ["b2_download_file_by_id", "b2_download_file_by_name", "s3_get", "s3_head"],
      },
    ],
    // A deleted or overwritten file is only hidden at first: without a rule its versions pile up, and are paid for.
    lifecycleRules: [
      {
        ...{ fileNamePrefix: "", daysFromUploadingToHiding: null, daysFromHidingToDeleting: 1 },
        daysFromStartingToCancelingUnfinishedLargeFiles: 7,
      },
    ],
  };
}

/** A bucket of that name is taken over only where it was made for this very instance. */
async function createOrAdopt(account: Account, inputs: Props): Promise<Bucket> {
  const bucketName = String(inputs["name"]);
  try {
    return await ask<Bucket>(account, "b2_create_bucket", { bucketName, ...settingsOf(inputs) });
  } catch (e) {
    if (!(e instanceof ApiError) || e.code !== "duplicate_bucket_name") throw e;
  }
  const { buckets } = await ask<{ buckets: Bucket[] }>(account, "b2_list_buckets", { bucketName });
  const [found] = buckets;
  if (!found || found.bucketInfo["trunkline"] !== inputs["owner"])
    throw new Error(
      `there is a bucket ${bucketName} already, ${found ? "and it was not made for this instance" : "in another account"}: choose another name (mediaBucket)`,
    );
  const { bucketId } = found;
  return ask<Bucket>(account, "b2_update_bucket", { bucketId, ...settingsOf(inputs) });
}

/** A key for one bucket: what Mastodon does with it, and the list, by which it is counted. */
export const key: Resource = {
  replaceOn: ["name", "bucketId", "capabilities"],
  async create(inputs) {
    const { name: keyName, bucketId, capabilities } = inputs;
    const made = await ask<{ applicationKeyId: string; applicationKey: string }>(
      await authorize(inputs),
      "b2_create_key",
      { keyName, bucketId, capabilities },
    );
    return { id: made.applicationKeyId, outputs: { applicationKey: made.applicationKey } };
  },
  update: async () => ({}),
  async delete(id, inputs) {
    const account = await authorize(inputs);
    await ask(account, "b2_delete_key", { applicationKeyId: id }).catch((e: unknown) => {
      if (!(e instanceof ApiError) || e.status !== 404) throw e;
    });
  },
};

import type { BucketArgs, Made } from "./bucket";

/** A bucket that is there already, at any store that speaks S3. Nothing is made, and nothing can be deleted. */
export function make(_name: string, { storage }: BucketArgs): Made {
  const { bucket, endpoint, region, accessKey, secretKey, objectAcl } = storage;
  return {
    ...{ endpoint, region, pathStyle: true, objectAcl },
    permission: objectAcl ? "public-read" : "",
    publicUrl: `${endpoint}/${bucket}`,
    resources: [],
    key: () => ({ accessKey, secretKey, resources: [] }),
  };
}

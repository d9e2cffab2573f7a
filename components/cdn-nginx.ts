import type { CdnArgs, Made } from "./cdn";

/** The instance's own nginx as a cache before the bucket: by its name, so that it moves with the server. */
export function make(_name: string, { webDomain }: CdnArgs): Made {
  return { resources: [], target: webDomain };
}

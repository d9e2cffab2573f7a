/** A Pulumi provider for what no published one makes: buckets and keys at Backblaze B2, pull zones at bunny.net. */
import * as provider from "@pulumi/pulumi/provider";
import { bucket, key } from "./b2";
import { hostname, pullZone } from "./bunny";
import { changed, type Props, type Resource, unwrap } from "./resource";

const resources: Record<string, Resource> = {
  "stores:b2:Bucket": bucket,
  "stores:b2:Key": key,
  "stores:bunny:PullZone": pullZone,
  "stores:bunny:Hostname": hostname,
};

function resourceOf(urn: string): Resource {
  const type = urn.split("::")[2]?.split("$").at(-1) ?? "";
  const found = resources[type];
  if (!found) throw new Error(`this provider has no resource type ${type}`);
  return found;
}

const plain = (props: Props) => unwrap(props) as Props;

const stores: provider.Provider = {
  version: "1.0.0",
  check: async (_urn, _olds, news: Props) => ({ inputs: news }),
  async diff(_id, urn, olds: Props, news: Props) {
    const names = changed(olds, news);
    const replaces = names.filter((n) => resourceOf(urn).replaceOn.includes(n));
    return { changes: names.length > 0, replaces };
  },
  // The inputs go back as they came, wrappers and all: that keeps the secret ones out of the plain state.
  async create(urn, inputs: Props) {
    const { id, outputs } = await resourceOf(urn).create(plain(inputs));
    return { id, outs: { ...inputs, ...outputs } };
  },
  read: async (id, _urn, props: Props) => ({ id, props }),
  async update(id, urn, olds: Props, news: Props) {
    return { outs: { ...olds, ...news, ...(await resourceOf(urn).update(id, plain(news))) } };
  },
  async delete(id, urn, props: Props) {
    const remove = resourceOf(urn).delete;
    if (!remove)
      throw new Error(`${urn} is never deleted by a program: it holds or serves an instance's media`);
    await remove(id, plain(props));
  },
};

void provider.main(stores, process.argv.slice(2));

/** A pull zone at bunny.net: https://docs.bunny.net/api-reference/core */
import { setTimeout as delay } from "node:timers/promises";
import { ApiError, call } from "./http";
import type { Props, Resource } from "./resource";

const base = process.env["BUNNY_API_URL"] ?? "https://api.bunny.net";
const certificatePauseMs = Number(process.env["BUNNY_CERTIFICATE_PAUSE_MS"] ?? 10_000);
const certificateTries = 60;

interface Zone {
  Id: number;
  Name: string;
  OriginUrl: string;
  Hostnames: { Value: string; HasCertificate?: boolean }[];
}

function ask<T>(inputs: Props, path: string, method: "GET" | "POST", body?: Props): Promise<T> {
  return call<T>(`${base}/pullzone${path}`, {
    method,
    body,
    headers: { AccessKey: String(inputs["apiKey"]) },
  });
}

/** What Mastodon's media are called, by their content types. */
const extensions = [
  ...["jpg", "jpeg", "png", "gif", "webp", "avif", "mp4", "webm", "mov"],
  ...["mp3", "ogg", "oga", "flac", "wav", "m4a", "aac"],
];

function settingsOf({ origin }: Props): Props {
  return {
    ...{ OriginUrl: origin, VerifyOriginSSL: true, IgnoreQueryStrings: true, DisableCookies: true },
    ...{ EnableAccessControlOriginHeader: true, AccessControlOriginHeaderExtensions: extensions },
    // What is missing now may be there in a second.
    CacheErrorResponses: false,
  };
}

const outputsOf = (zone: Zone): Props => ({
  hostname: zone.Hostnames.find((h) => h.Value.endsWith(".b-cdn.net"))?.Value ?? `${zone.Name}.b-cdn.net`,
});

export const pullZone: Resource = {
  replaceOn: ["name"],
  async create(inputs) {
    const zone = await createOrAdopt(inputs);
    return { id: String(zone.Id), outputs: outputsOf(zone) };
  },
  async update(id, inputs) {
    return outputsOf(await ask<Zone>(inputs, `/${id}`, "POST", settingsOf(inputs)));
  },
};

/** A zone of that name is taken over only where it serves this very bucket. */
async function createOrAdopt(inputs: Props): Promise<Zone> {
  const { name: Name, origin } = inputs;
  try {
    return await ask<Zone>(inputs, "", "POST", { Name, Type: 0, ...settingsOf(inputs) });
  } catch (e) {
    if (!(e instanceof ApiError) || e.status !== 400 || !/name/i.test(`${e.code} ${e.message}`)) throw e;
    const query = `?search=${encodeURIComponent(String(Name))}`;
    const { Items } = await ask<{ Items: Zone[] }>(inputs, query, "GET");
    const found = Items.find((z) => z.Name === Name && z.OriginUrl === origin);
    if (found) return ask<Zone>(inputs, `/${found.Id}`, "POST", settingsOf(inputs));
    const why = `there is a pull zone ${String(Name)} already, and it serves something else`;
    throw new Error(`${why}: ${e.message}`, { cause: e });
  }
}

/** The media host on a pull zone, with a certificate: its CNAME has to be there first. */
export const hostname: Resource = {
  replaceOn: ["zone", "host"],
  async create(inputs) {
    const { host: Hostname } = inputs;
    const zone = String(inputs["zone"]);
    const { Hostnames } = await ask<Zone>(inputs, `/${zone}`, "GET");
    if (!Hostnames.some((h) => h.Value === Hostname))
      await ask(inputs, `/${zone}/addHostname`, "POST", { Hostname });
    await certify(inputs, String(Hostname));
    await ask(inputs, `/${zone}/setForceSSL`, "POST", { Hostname, ForceSSL: true });
    return { id: `${zone}/${String(Hostname)}`, outputs: {} };
  },
  update: async () => ({}),
};

/** Let's Encrypt has to see the CNAME, which takes as long as the zone's servers do. */
async function certify(inputs: Props, host: string): Promise<void> {
  for (let n = 1; ; n++) {
    try {
      return await ask(inputs, `/loadFreeCertificate?hostname=${encodeURIComponent(host)}`, "GET");
    } catch (e) {
      if (!(e instanceof ApiError) || e.status !== 400) throw e;
      if (n >= certificateTries)
        throw new Error(
          `waited ${Math.round((n * certificatePauseMs) / 1000)} s for a certificate of ${host}: ${e.message}. See that its CNAME is public, and run again`,
          { cause: e },
        );
      await delay(certificatePauseMs);
    }
  }
}

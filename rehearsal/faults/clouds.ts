import type { ApiFault, Fault } from "./fault";

/** The cloud's API misbehaves from the start of the phase. */
function api(title: string, phase: Fault["phase"], fault: ApiFault, fails: Fault["fails"]): Fault {
  return {
    title,
    phase,
    fails,
    async strike(c) {
      c.clouds.api.fail(fault);
      await c.run.done;
      if (c.clouds.api.heal().length > 0) throw new Error(`no call to ${fault.package} failed so`);
    },
  };
}

/**
 * The DNS API fails when the records are to change: as often as the client tries, so that `up` has to give up. By then
 * the data have moved, and the old server is a proxy for whoever still comes by the old address.
 */
function dns(title: string, kind: ApiFault["kind"], says: RegExp): Fault {
  const calls = { package: "cloudflare", times: 3, match: "update cloudflare:index/dnsRecord:DnsRecord" };
  return { ...api(title, "switch", { ...calls, kind }, "must"), eitherWay: true, says };
}

export const clouds: Record<string, Fault> = {
  "cloud-500": api(
    "the cloud's API answers 500",
    "prepare",
    { package: "hcloud", kind: "500", times: 1 },
    "may",
  ),
  "cloud-429": api(
    "the cloud's API answers 429",
    "prepare",
    { package: "hcloud", kind: "429", times: 2 },
    "may",
  ),
  "cloud-timeout": api(
    "the cloud's API times out",
    "prepare",
    { package: "hcloud", kind: "timeout", times: 1 },
    "may",
  ),
  "cloud-lost": api(
    "the cloud makes the server, and its answer never comes",
    "prepare",
    { package: "hcloud", kind: "lost", times: 1, match: "create hcloud:index/server:Server" },
    "may",
  ),
  "dns-500": dns("the DNS API answers 500 at the cutover", "500", /500 Internal Server Error/),
  "dns-429": dns("the DNS API answers 429 at the cutover", "429", /429 Too Many Requests/),
  "dns-timeout": dns("the DNS API times out at the cutover", "timeout", /deadline exceeded/),
  "dns-lost": dns("the DNS API changes the record, and its answer is lost", "lost", /deadline exceeded/),
};

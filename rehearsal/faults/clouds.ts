import type { ApiFault, Fault } from "./fault";

/** The cloud's API misbehaves from the start of the phase. */
function api(title: string, phase: Fault["phase"], fault: ApiFault, fails: Fault["fails"]): Fault {
  return {
    title,
    phase,
    fails,
    async strike(c) {
      c.clouds.api.fail(fault);
    },
  };
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
  "dns-500": api(
    "the DNS API fails at the cutover",
    "switch",
    { package: "cloudflare", kind: "500", times: 1, match: "DnsRecord" },
    "may",
  ),
};

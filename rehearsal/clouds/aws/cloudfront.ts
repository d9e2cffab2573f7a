/**
 * The stand-in ACM and CloudFront: certificates that are issued once their record is there, distributions that take
 * none but those, and serve the bucket through the lab's CDN. Origin access control is on the books only: the lab's
 * store knows no principal of CloudFront, and so lets through what is public by its own ACL.
 */
import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { addSystemRecord } from "../cdn-names";
import type { Cloud } from "../lab";
import type { Resource } from "../resource";
import type { Thing } from "../store";
import type { Props } from "../values";
import { ACCOUNT, apiError, books } from "./things";

const hex = (n: number) => randomBytes(n).toString("hex");
/** Policies that AWS keeps itself, by id. */
const CACHE_POLICIES = ["658327ea-f89d-4fab-a63d-7e88639e58f6", "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"];
const SIMPLE_CORS = "60669652-455b-4ae9-85a4-c4c02393f86c";

function certificate(cloud: Cloud): Resource {
  const certificates = books(cloud, "aws-certificate");
  return {
    required: ["domainName"],
    optional: ["validationMethod", "region", "subjectAlternativeNames", "tags"],
    computed: ["region", "subjectAlternativeNames"],
    outputs: ["arn", "domainValidationOptions", "status", "notAfter", "notBefore", "tagsAll"],
    async create(inputs) {
      const host = String(inputs["domainName"]);
      const arn = `arn:aws:acm:${String(inputs["region"])}:${ACCOUNT}:certificate/${hex(16)}`;
      const option = {
        ...{ domainName: host, resourceRecordType: "CNAME", resourceRecordName: `_${hex(16)}.${host}.` },
        resourceRecordValue: `_${hex(16)}.${hex(5)}.acm-validations.aws.`,
      };
      certificates.add(arn, inputs, { status: "PENDING_VALIDATION", option });
      return { id: arn, outputs: { arn, domainValidationOptions: [option], status: "PENDING_VALIDATION" } };
    },
    async delete(id) {
      const user = books(cloud, "aws-distribution")
        .all()
        .some((d) => usesCertificate(d, id));
      if (user) throw apiError("ACM: DeleteCertificate", 400, "ResourceInUseException", `${id} is in use`);
      certificates.remove(id);
    },
  };
}

/** The real one waits 75 minutes; who looks at the lab's zone need not. */
const PATIENCE_MS = 5_000;

function validation(cloud: Cloud): Resource {
  return {
    required: ["certificateArn"],
    optional: ["region", "validationRecordFqdns"],
    computed: ["region"],
    async create(inputs) {
      const arn = String(inputs["certificateArn"]);
      const found = books(cloud, "aws-certificate").find(arn);
      if (!found) throw apiError("ACM: DescribeCertificate", 400, "ResourceNotFoundException", arn);
      for (const end = Date.now() + PATIENCE_MS; !proven(cloud, found); await delay(100))
        if (Date.now() > end)
          throw new Error(
            `waiting for ACM Certificate (${arn}) to be issued: timeout while waiting for state to become 'ISSUED' (last state: 'PENDING_VALIDATION')`,
          );
      cloud.store.change(() => (found.own["status"] = "ISSUED"));
      return { id: new Date().toISOString() };
    },
    async delete() {},
  };
}

function proven(cloud: Cloud, found: Thing): boolean {
  const bare = (name: unknown) => String(name).replace(/\.$/, "").toLowerCase();
  const option = found.own["option"] as Props;
  return cloud.store.state.zones
    .flatMap((z) => z.records)
    .some(
      (r) =>
        r.name === bare(option["resourceRecordName"]) &&
        bare(r.content) === bare(option["resourceRecordValue"]),
    );
}

function originAccess(cloud: Cloud): Resource {
  const controls = books(cloud, "aws-oac");
  return {
    required: ["originAccessControlOriginType", "signingBehavior", "signingProtocol"],
    optional: ["name", "description"],
    autoName: "name",
    outputs: ["etag", "arn"],
    async create(inputs) {
      if (controls.all().some((c) => c.inputs["name"] === inputs["name"]))
        throw apiError("CloudFront: CreateOriginAccessControl", 409, "OriginAccessControlAlreadyExists", "");
      const { id } = controls.add(`E${hex(6).toUpperCase()}`, inputs);
      return {
        id,
        outputs: { etag: hex(6), arn: `arn:aws:cloudfront::${ACCOUNT}:origin-access-control/${id}` },
      };
    },
    async delete(id) {
      controls.remove(id);
    },
  };
}

const usesCertificate = (d: Thing, arn: string) =>
  (d.inputs["viewerCertificate"] as Props | undefined)?.["acmCertificateArn"] === arn;

/** What CloudFront says to a distribution, the certificate and the other distributions considered. */
function refuse(cloud: Cloud, inputs: Props, self?: string): void {
  const no = (code: string, message = "") => apiError("CloudFront: CreateDistribution", 400, code, message);
  const aliases = (inputs["aliases"] ?? []) as string[];
  const others = books(cloud, "aws-distribution")
    .all()
    .filter((d) => d.id !== self);
  const taken = aliases.find((a) =>
    others.some((d) => ((d.inputs["aliases"] ?? []) as string[]).includes(a)),
  );
  if (taken) throw no("CNAMEAlreadyExists", `${taken} is associated with another distribution`);
  const arn = String((inputs["viewerCertificate"] as Props)["acmCertificateArn"] ?? "");
  const held = books(cloud, "aws-certificate").find(arn);
  if (aliases.length && (held?.own["status"] !== "ISSUED" || !arn.startsWith("arn:aws:acm:us-east-1:")))
    throw no(
      "InvalidViewerCertificate",
      "The specified SSL certificate doesn't exist, isn't in us-east-1 region, or isn't valid",
    );
  const uncovered = aliases.find((a) => held?.inputs["domainName"] !== a);
  if (uncovered) throw no("InvalidViewerCertificate", `the certificate doesn't cover ${uncovered}`);
  const behavior = inputs["defaultCacheBehavior"] as Props;
  if (!CACHE_POLICIES.includes(String(behavior["cachePolicyId"]))) throw no("NoSuchCachePolicy");
  for (const origin of inputs["origins"] as Props[]) {
    if (origin["originAccessControlId"] && !books(cloud, "aws-oac").find(origin["originAccessControlId"]))
      throw no("NoSuchOriginAccessControl");
  }
  if (!(inputs["origins"] as Props[]).some((o) => o["originId"] === behavior["targetOriginId"]))
    throw no("NoSuchOrigin");
}

async function publish(cloud: Cloud, inputs: Props, domainName: string): Promise<void> {
  const [origin] = inputs["origins"] as Props[];
  const errors = (inputs["customErrorResponses"] ?? []) as Props[];
  const own = errors.map((e): [number, number] => [
    Number(e["errorCode"]),
    Number(e["errorCachingMinTtl"] ?? 10),
  ]);
  const cors = (inputs["defaultCacheBehavior"] as Props)["responseHeadersPolicyId"] === SIMPLE_CORS;
  await cloud.stores.cdn.serve([domainName, ...((inputs["aliases"] ?? []) as string[])], {
    origin: `https://${String(origin?.["domainName"])}`,
    keepSeconds: { 403: 10, 404: 10, ...Object.fromEntries(own) },
    headers: cors ? { "access-control-allow-origin": "*" } : {},
  });
}

function distribution(cloud: Cloud): Resource {
  const distributions = books(cloud, "aws-distribution");
  return {
    required: ["enabled", "origins", "defaultCacheBehavior", "restrictions", "viewerCertificate"],
    optional: [
      "aliases",
      "comment",
      "customErrorResponses",
      "httpVersion",
      "isIpv6Enabled",
      "priceClass",
      "waitForDeployment",
    ],
    outputs: ["domainName", "hostedZoneId", "arn", "status", "etag"],
    async create(inputs) {
      refuse(cloud, inputs);
      const domainName = `d${hex(7)}.cloudfront.net`;
      const { id } = distributions.add(`E${hex(6).toUpperCase()}`, inputs, { domainName });
      addSystemRecord(cloud, "aws", "cloudfront.net", domainName);
      await publish(cloud, inputs, domainName);
      const arn = `arn:aws:cloudfront::${ACCOUNT}:distribution/${id}`;
      return { id, outputs: { domainName, arn, hostedZoneId: "Z2FDTNDATAQYW2", status: "Deployed" } };
    },
    async update(id, inputs) {
      refuse(cloud, inputs, id);
      const found = distributions.find(id);
      if (!found) throw apiError("CloudFront: UpdateDistribution", 404, "NoSuchDistribution", id);
      distributions.change(found, inputs);
      await publish(cloud, inputs, String(found.own["domainName"]));
    },
    async delete(id) {
      for (const d of distributions.remove(id))
        for (const name of [String(d.own["domainName"]), ...((d.inputs["aliases"] ?? []) as string[])])
          cloud.stores.cdn.forget(name);
    },
  };
}

export function cloudfront(cloud: Cloud): Record<string, Resource> {
  return {
    "aws:acm/certificate:Certificate": certificate(cloud),
    "aws:acm/certificateValidation:CertificateValidation": validation(cloud),
    "aws:cloudfront/originAccessControl:OriginAccessControl": originAccess(cloud),
    "aws:cloudfront/distribution:Distribution": distribution(cloud),
  };
}

import * as acm from "@pulumi/aws/acm";
import * as cloudfront from "@pulumi/aws/cloudfront";
import * as pulumi from "@pulumi/pulumi";
import { kept } from "./bucket";
import type { CdnArgs, Made, Options } from "./cdn";
import { newRecord } from "./host-record";

/** CloudFront takes certificates from this region alone. */
const region = "us-east-1";

/** Policies that AWS keeps: cache as the origin says; answer browsers of any site. (CloudFront developer guide) */
const cachingOptimized = "658327ea-f89d-4fab-a63d-7e88639e58f6";
const simpleCors = "60669652-455b-4ae9-85a4-c4c02393f86c";

/** CloudFront before a bucket at AWS, with a certificate of its own. */
export function make(name: string, args: CdnArgs, opts: Options): Made {
  const own = kept(opts, args.used);
  const { certificate, resources } = certified(name, args, own);
  const signer = new cloudfront.OriginAccessControl(
    `${name}-oac`,
    {
      ...{ name: args.storage.bucket, originAccessControlOriginType: "s3" },
      ...{ signingBehavior: "always", signingProtocol: "sigv4" },
    },
    own,
  );
  const distribution = new cloudfront.Distribution(
    `${name}-distribution`,
    {
      ...{ enabled: true, isIpv6Enabled: true, httpVersion: "http2and3", priceClass: "PriceClass_All" },
      ...{ aliases: [args.storage.host], comment: `Mastodon media of ${args.storage.host}` },
      origins: [originOf(args, signer.id)],
      defaultCacheBehavior: behavior,
      customErrorResponses: errors,
      restrictions: { geoRestriction: { restrictionType: "none" } },
      viewerCertificate: {
        ...{ acmCertificateArn: certificate, sslSupportMethod: "sni-only" },
        minimumProtocolVersion: "TLSv1.2_2021",
      },
    },
    { ...own, dependsOn: resources },
  );
  return { resources: [...resources, signer, distribution], target: distribution.domainName };
}

function originOf({ bucket }: CdnArgs, originAccessControlId: pulumi.Input<string>) {
  const domainName = bucket.publicUrl.apply((url) => url.replace(/^https:\/\//, ""));
  return { originId: "bucket", domainName, originAccessControlId };
}

const behavior = {
  ...{ targetOriginId: "bucket", viewerProtocolPolicy: "redirect-to-https", compress: false },
  ...{ allowedMethods: ["GET", "HEAD", "OPTIONS"], cachedMethods: ["GET", "HEAD"] },
  ...{ cachePolicyId: cachingOptimized, responseHeadersPolicyId: simpleCors },
};

/** What is missing now may be there in a second: the default of ten would keep it missing. */
const errors = [400, 403, 404, 500, 502, 503, 504].map((errorCode) => ({ errorCode, errorCachingMinTtl: 0 }));

/** A certificate, proven by records in the zone. */
function certified(
  name: string,
  { storage, dns }: CdnArgs,
  own: pulumi.CustomResourceOptions & Options,
): { certificate: pulumi.Output<string>; resources: pulumi.Resource[] } {
  const wanted = new acm.Certificate(
    `${name}-certificate`,
    { domainName: storage.host, validationMethod: "DNS", region },
    own,
  );
  const proof = wanted.domainValidationOptions.apply(([option]) => option);
  const record = newRecord(
    `${name}-certificate-record`,
    {
      dns,
      name: proof.apply((p) => p?.resourceRecordName ?? ""),
      value: proof.apply((p) => p?.resourceRecordValue ?? ""),
    },
    { ...own, protect: false },
  );
  const proven = new acm.CertificateValidation(
    `${name}-certificate-proof`,
    { certificateArn: wanted.arn, region },
    { parent: own.parent, dependsOn: [record], retainOnDelete: true },
  );
  return { certificate: proven.certificateArn, resources: [wanted, record, proven] };
}

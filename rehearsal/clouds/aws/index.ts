/**
 * The stand-in AWS: S3's control plane, IAM, ACM and CloudFront as far as the program uses them. Every other resource
 * and argument is refused by name.
 */
import type { Cloud } from "../lab";
import type { Package } from "../resource";
import { cloudfront } from "./cloudfront";
import { iam } from "./iam";
import { s3 } from "./s3";

export function aws(cloud: Cloud): Package {
  return {
    name: "aws",
    version: "7.48.0",
    configure({ accessKey, secretKey, profile }) {
      if ((accessKey && secretKey) || profile || process.env["AWS_ACCESS_KEY_ID"]) return;
      throw new Error(
        "No valid credential sources found. Please see https://registry.terraform.io/providers/hashicorp/aws",
      );
    },
    resources: { ...s3(cloud), ...iam(cloud), ...cloudfront(cloud) },
  };
}

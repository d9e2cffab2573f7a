/** The stand-in IAM: users, their policies, and keys that can do in a bucket what the policies say. */
import { randomBytes } from "node:crypto";
import type { Right } from "../../stores";
import type { Cloud } from "../lab";
import type { Resource } from "../resource";
import type { Props } from "../values";
import { ACCOUNT, apiError, books } from "./things";

const RIGHTS: Record<string, Right> = {
  "s3:PutObject": "put",
  "s3:PutObjectAcl": "acl",
  "s3:GetObject": "get",
  "s3:DeleteObject": "delete",
  "s3:ListBucket": "list",
};

function user(cloud: Cloud): Resource {
  const users = books(cloud, "aws-user");
  return {
    optional: ["name", "path", "forceDestroy", "tags"],
    autoName: "name",
    outputs: ["arn", "uniqueId", "tagsAll"],
    async create(inputs) {
      const name = String(inputs["name"]);
      if (!/^[\w+=,.@-]{1,64}$/.test(name))
        throw apiError("IAM: CreateUser", 400, "ValidationError", `userName ${name} is not valid`);
      if (users.find(name))
        throw apiError("IAM: CreateUser", 409, "EntityAlreadyExists", `User ${name} exists`);
      users.add(name, inputs);
      const arn = `arn:aws:iam::${ACCOUNT}:user${String(inputs["path"] ?? "/")}${name}`;
      return { id: name, outputs: { arn, uniqueId: `AIDA${randomBytes(8).toString("hex").toUpperCase()}` } };
    },
    /** A user with keys or policies left stays, unless forceDestroy is set. */
    async delete(id, old) {
      const left = books(cloud, "aws-key")
        .all()
        .some((k) => k.inputs["user"] === id);
      if (left && old.inputs["forceDestroy"] !== true)
        throw apiError("IAM: DeleteUser", 409, "DeleteConflict", "must delete access keys first");
      users.remove(id);
    },
  };
}

function userPolicy(cloud: Cloud): Resource {
  const policies = books(cloud, "aws-user-policy");
  return {
    required: ["user", "policy"],
    optional: ["name"],
    autoName: "name",
    replaceOn: ["user", "name"],
    async create(inputs) {
      if (!books(cloud, "aws-user").find(inputs["user"]))
        throw apiError("IAM: PutUserPolicy", 404, "NoSuchEntity", `no user ${String(inputs["user"])}`);
      const id = `${String(inputs["user"])}:${String(inputs["name"])}`;
      policies.add(id, inputs);
      return { id };
    },
    async update(id, inputs) {
      const found = policies.find(id);
      if (found) policies.change(found, inputs);
    },
    async delete(id) {
      policies.remove(id);
    },
  };
}

/** What the user's policies allow in a bucket of S3. */
function rightsOf(cloud: Cloud, user: string): { bucket?: string; rights: Right[] } {
  const own = books(cloud, "aws-user-policy")
    .all()
    .filter((p) => p.inputs["user"] === user);
  const statements = own.flatMap(
    (p) => (JSON.parse(String(p.inputs["policy"])) as { Statement: Props[] }).Statement,
  );
  const list = (value: unknown) => [value].flat() as string[];
  const rights = statements.flatMap((s) => list(s["Action"])).flatMap((action) => RIGHTS[action] ?? []);
  const bucket = statements
    .flatMap((s) => list(s["Resource"]))
    .map((arn) => /^arn:aws:s3:::([^/*]+)/.exec(arn)?.[1])[0];
  return { bucket, rights };
}

function accessKey(cloud: Cloud): Resource {
  const keys = books(cloud, "aws-key");
  return {
    required: ["user"],
    optional: ["status"],
    computed: ["status"],
    outputs: ["secret", "createDate", "sesSmtpPasswordV4"],
    secrets: ["secret", "sesSmtpPasswordV4"],
    async create(inputs) {
      const user = String(inputs["user"]);
      if (!books(cloud, "aws-user").find(user))
        throw apiError("IAM: CreateAccessKey", 404, "NoSuchEntity", `no user ${user}`);
      if (keys.all().filter((k) => k.inputs["user"] === user).length >= 2)
        throw apiError(
          "IAM: CreateAccessKey",
          409,
          "LimitExceeded",
          "Cannot exceed quota for AccessKeysPerUser: 2",
        );
      const credentials = {
        accessKey: `AKIA${randomBytes(8).toString("hex").toUpperCase()}`,
        secretKey: randomBytes(30).toString("base64"),
      };
      await cloud.stores.store("s3").makeKey({ ...rightsOf(cloud, user), credentials });
      keys.add(credentials.accessKey, inputs);
      return { id: credentials.accessKey, outputs: { secret: credentials.secretKey } };
    },
    async delete(id) {
      keys.remove(id);
      await cloud.stores.store("s3").deleteKey(id);
    },
  };
}

export function iam(cloud: Cloud): Record<string, Resource> {
  return {
    "aws:iam/user:User": user(cloud),
    "aws:iam/userPolicy:UserPolicy": userPolicy(cloud),
    "aws:iam/accessKey:AccessKey": accessKey(cloud),
  };
}

/** @pulumi/tls: private keys. Certificates are not modelled and are refused as unknown types. */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from "node:crypto";
import { utils } from "ssh2";
import type { Failure, Package, Resource } from "./resource";
import type { Props } from "./values";

const CURVES: Record<string, number> = { P256: 256, P384: 384, P521: 521 };

/** A new key in OpenSSH's format; P224 is not one of OpenSSH's curves and has none. */
function generate(inputs: Props): { key: KeyObject; openssh: string } {
  const algorithm = inputs["algorithm"];
  const curve = String(inputs["ecdsaCurve"] ?? "P224");
  if (algorithm === "ECDSA" && curve === "P224") {
    return { key: generateKeyPairSync("ec", { namedCurve: "secp224r1" }).privateKey, openssh: "" };
  }
  const openssh =
    algorithm === "ED25519"
      ? ed25519Pair().private
      : algorithm === "RSA"
        ? utils.generateKeyPairSync("rsa", { bits: Number(inputs["rsaBits"] ?? 2048) }).private
        : utils.generateKeyPairSync("ecdsa", { bits: CURVES[curve] as 256 | 384 | 521 }).private;
  const parsed = utils.parseKey(openssh);
  if (parsed instanceof Error) throw parsed;
  return { key: createPrivateKey(parsed.getPrivatePEM()), openssh };
}

/** One in 256 of ssh2's pairs is malformed: it drops a public key's first byte if that is zero. */
export function ed25519Pair(): { private: string; public: string } {
  for (;;) {
    const pair = utils.generateKeyPairSync("ed25519");
    if (!(utils.parseKey(pair.private) instanceof Error)) return pair;
  }
}

function privatePem(key: KeyObject): string {
  if (key.asymmetricKeyType === "rsa") return key.export({ type: "pkcs1", format: "pem" }).toString();
  if (key.asymmetricKeyType === "ec") return key.export({ type: "sec1", format: "pem" }).toString();
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}

/** The public half as OpenSSH writes it, with its newline and its two fingerprints. */
function publicOpenssh(openssh: string): Props {
  if (!openssh) return { publicKeyOpenssh: "", publicKeyFingerprintMd5: "", publicKeyFingerprintSha256: "" };
  const parsed = utils.parseKey(openssh);
  if (parsed instanceof Error) throw parsed;
  const blob = parsed.getPublicSSH();
  const md5 = createHash("md5").update(blob).digest("hex");
  const sha256 = createHash("sha256").update(blob).digest("base64").replace(/=+$/, "");
  return {
    publicKeyOpenssh: `${parsed.type} ${blob.toString("base64")}\n`,
    publicKeyFingerprintMd5: (md5.match(/../g) ?? []).join(":"),
    publicKeyFingerprintSha256: `SHA256:${sha256}`,
  };
}

function check(inputs: Props): Failure[] {
  const { algorithm, ecdsaCurve } = inputs;
  const failures: Failure[] = [];
  if (algorithm !== undefined && !["RSA", "ECDSA", "ED25519"].includes(String(algorithm))) {
    failures.push({
      property: "algorithm",
      reason: `expected one of RSA, ECDSA, ED25519, got ${String(algorithm)}`,
    });
  }
  if (ecdsaCurve !== undefined && !["P224", ...Object.keys(CURVES)].includes(String(ecdsaCurve))) {
    failures.push({
      property: "ecdsaCurve",
      reason: `expected one of P224, P256, P384, P521, got ${String(ecdsaCurve)}`,
    });
  }
  return failures;
}

const privateKey: Resource = {
  required: ["algorithm"],
  optional: ["ecdsaCurve", "rsaBits"],
  outputs: [
    "privateKeyOpenssh",
    "privateKeyPem",
    "privateKeyPemPkcs8",
    "publicKeyFingerprintMd5",
    "publicKeyFingerprintSha256",
    "publicKeyOpenssh",
    "publicKeyPem",
  ],
  secrets: ["privateKeyOpenssh", "privateKeyPem", "privateKeyPemPkcs8"],
  check,
  async create(inputs) {
    const { key, openssh } = generate(inputs);
    const spki = createPublicKey(key);
    const outputs = {
      privateKeyOpenssh: openssh,
      privateKeyPem: privatePem(key),
      privateKeyPemPkcs8: key.export({ type: "pkcs8", format: "pem" }).toString(),
      publicKeyPem: spki.export({ type: "spki", format: "pem" }).toString(),
      ...publicOpenssh(openssh),
    };
    const id = createHash("sha1")
      .update(spki.export({ type: "spki", format: "der" }))
      .digest("hex");
    return { id, outputs };
  },
};

export const tls: Package = {
  name: "tls",
  version: "5.6.1",
  resources: { "tls:index/privateKey:PrivateKey": privateKey },
};

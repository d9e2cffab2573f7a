import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";
import { fingerprintOf } from "./ssh";

/** A host key made by the program and handed to the new server, so that its first contact needs no trust. */
export interface HostKey {
  /** "ssh-ed25519 AAAA…". */
  public: pulumi.Output<string>;
  /** In letters and digits: a label at the cloud, by which a later run knows the server again. */
  fingerprint: pulumi.Output<string>;
  /** For cloud-init. Secret: it holds the private half. */
  userData: pulumi.Output<string>;
}

export function hostKey(name: string, opts: pulumi.CustomResourceOptions): HostKey {
  const key = new tls.PrivateKey(name, { algorithm: "ED25519" }, opts);
  const shown = key.publicKeyOpenssh.apply((k) => k.trim());
  return {
    public: shown,
    fingerprint: shown.apply(fingerprintOf),
    userData: pulumi.secret(
      pulumi.all([key.privateKeyOpenssh, shown]).apply(([secret, open]) => cloudConfig(secret, open)),
    ),
  };
}

/** cloud-init's file: JSON, which is YAML too, so that nothing needs quoting by hand. */
export function cloudConfig(privateKey: string, publicKey: string): string {
  const config = {
    ssh_deletekeys: true,
    ssh_genkeytypes: ["ed25519"],
    ssh_keys: { ed25519_private: privateKey, ed25519_public: publicKey },
    disable_root: false,
    ssh_pwauth: false,
  };
  return `#cloud-config\n${JSON.stringify(config, null, 2)}\n`;
}

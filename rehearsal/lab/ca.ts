import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { isIP } from "node:net";
import path from "node:path";
import { run } from "./run";

/** The lab's certificate authority; every host of the lab trusts it. */
export class CertificateAuthority {
  private constructor(
    private readonly dir: string,
    readonly certPath: string,
  ) {}

  static async make(dir: string): Promise<CertificateAuthority> {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    const ca = new CertificateAuthority(dir, path.join(dir, "ca.crt"));
    const subject = ["-subj", "/O=Trunkline Lab/CN=Trunkline Lab CA", "-days", "30"];
    const extensions = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"];
    await run([
      "openssl",
      "req",
      "-x509",
      ...newKey(path.join(dir, "ca.key")),
      ...subject,
      ...extensions,
      "-out",
      ca.certPath,
    ]);
    return ca;
  }

  /** A certificate (leaf, then the authority's, as in a fullchain.pem) and its key. The first name is its subject. */
  async certificateFor(names: string[], days = 30): Promise<{ cert: string; key: string }> {
    const work = mkdtempSync(path.join(this.dir, "certificate-"));
    const [key, cert] = [path.join(work, "key"), path.join(work, "cert")];
    const alternatives = names.map((name) => `${isIP(name) ? "IP" : "DNS"}:${name}`).join(",");
    const usage = ["-addext", "extendedKeyUsage=serverAuth", "-addext", "basicConstraints=critical,CA:FALSE"];
    const signer = ["-CA", this.certPath, "-CAkey", path.join(this.dir, "ca.key")];
    try {
      await run(
        [
          "openssl",
          "req",
          "-x509",
          ...newKey(key),
          ...signer,
          "-subj",
          `/CN=${names[0]}`,
          "-days",
          String(days),
        ].concat(["-addext", `subjectAltName=${alternatives}`, ...usage, "-out", cert]),
      );
      return {
        cert: readFileSync(cert, "utf8") + readFileSync(this.certPath, "utf8"),
        key: readFileSync(key, "utf8"),
      };
    } finally {
      rmSync(work, { recursive: true });
    }
  }

  /** Signs a request (PEM) with the names that it asks for. @returns leaf, then the authority's. */
  async sign(request: string, days = 30): Promise<string> {
    const signer = ["-CA", this.certPath, "-CAkey", path.join(this.dir, "ca.key"), "-CAcreateserial"];
    const asked = ["-copy_extensions", "copy", "-days", String(days)];
    const { stdout } = await run(["openssl", "x509", "-req", ...signer, ...asked], { input: request });
    return stdout + readFileSync(this.certPath, "utf8");
  }

  /** Puts the authority into a host's trust store, as an admin would. */
  async trustIn(rootfs: string): Promise<void> {
    const anchors = path.join(rootfs, "usr/local/share/ca-certificates");
    mkdirSync(anchors, { recursive: true });
    copyFileSync(this.certPath, path.join(anchors, "trunkline-lab.crt"));
    await run(["chroot", rootfs, "update-ca-certificates"]);
  }
}

const newKey = (file: string) =>
  ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", file] as const;

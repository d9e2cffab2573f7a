import type * as pulumi from "@pulumi/pulumi";

/** The source's sshd, as the target logs in there. */
export interface SourceLogin {
  hostKey: string;
  port: number;
  user: string;
}

/**
 * How the target reads files from the source: with a key that may do that alone, from a server whose key is
 * pinned.
 */
export interface Reader {
  readKey: pulumi.Input<string>;
  source: SourceLogin;
}

/** Only for steps that log in to the source: each that is told runs again when another port or user is set. */
export function loginSettings({ hostKey, port, user }: SourceLogin): Record<string, string> {
  return { SOURCE_HOST_KEY: hostKey, SOURCE_SSH_PORT: String(port), SOURCE_SSH_USER: user };
}

/** The settings by which a step gets to be a reader. */
export function readerSettings(reader: Reader): Record<string, pulumi.Input<string>> {
  return { READ_PRIVATE_KEY: reader.readKey, ...loginSettings(reader.source) };
}

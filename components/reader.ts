import type * as pulumi from "@pulumi/pulumi";

/**
 * How the target reads files from the source: with a key that may do that alone, from a server whose key is
 * pinned.
 */
export interface Reader {
  readKey: pulumi.Input<string>;
  sourceHostKey: string;
}

/** The settings by which a step gets to be a reader. */
export function readerSettings(reader: Reader): Record<string, pulumi.Input<string>> {
  return { READ_PRIVATE_KEY: reader.readKey, SOURCE_HOST_KEY: reader.sourceHostKey };
}

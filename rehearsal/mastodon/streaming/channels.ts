export interface Viewer {
  accountId: string;
  tokenId: string;
  scopes: string[];
}

/** The Redis channels of a stream, or undefined when there is no such stream or the token does not reach so far. */
export function channels(stream: string, v: Viewer): string[] | undefined {
  const may = (...scopes: string[]) => scopes.some((s) => v.scopes.includes(s));
  switch (stream) {
    case "user":
      if (!may("read", "read:statuses", "read:notifications")) return undefined;
      return [`timeline:${v.accountId}`, `timeline:${v.accountId}:notifications`];
    case "user:notification":
      return may("read", "read:notifications") ? [`timeline:${v.accountId}:notifications`] : undefined;
    case "public":
    case "public:local":
    case "public:remote":
    case "public:media":
    case "public:local:media":
    case "public:remote:media":
      return may("read", "read:statuses") ? [`timeline:${stream}`] : undefined;
    case "direct":
      return may("read", "read:statuses") ? [`timeline:direct:${v.accountId}`] : undefined;
    default:
      return undefined;
  }
}

/** Streams that others write to only while somebody watches: these channels are announced by a key that expires. */
export const announced = (channel: string) => /^timeline:\d+$/.test(channel);

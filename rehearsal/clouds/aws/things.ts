import type { Cloud } from "../lab";
import { take, type Thing } from "../store";
import type { Props } from "../values";

export const ACCOUNT = "123456789012";

/** The books of one kind of thing. */
export function books({ store }: Cloud, kind: string) {
  const all = (): Thing[] => store.state.things.filter((t) => t.kind === kind);
  return {
    all,
    find: (id: unknown): Thing | undefined => all().find((t) => t.id === id),
    add(id: string, inputs: Props, own: Props = {}): Thing {
      const thing = { id, kind, inputs, own };
      store.change((s) => s.things.push(thing));
      return thing;
    },
    change: (thing: Thing, inputs: Props): void => void store.change(() => (thing.inputs = inputs)),
    remove: (id: string): Thing[] =>
      store.change((s) => take(s.things, (t) => t.kind === kind && t.id === id)),
  };
}

/** An error as the SDK shows it. */
export function apiError(operation: string, status: number, code: string, message: string): Error {
  return new Error(
    `operation error ${operation}: https response error StatusCode: ${status}, api error ${code}: ${message}`,
  );
}

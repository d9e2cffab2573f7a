/** What a resource type of this provider is made of. */

export type Props = Record<string, unknown>;

export interface Resource {
  /** Inputs whose change makes a new resource. */
  replaceOn: string[];
  create(inputs: Props): Promise<{ id: string; outputs: Props }>;
  update(id: string, inputs: Props): Promise<Props>;
  /** Left out: what it stands for is never deleted. */
  delete?(id: string, inputs: Props): Promise<void>;
}

const mark = "4dabf18193072939515e22adb298388d";
const secret = "1b47061264138c4ac30d75fd1eb44270";

/** The engine hands secrets over in wrappers, and takes them back only so: what is unwrapped lands in the state. */
export function unwrap(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unwrap);
  if (typeof value !== "object" || value === null) return value;
  const object = value as Props;
  if (object[mark] === secret) return unwrap(object["value"]);
  return Object.fromEntries(Object.entries(object).map(([k, v]) => [k, unwrap(v)]));
}

/** The names of inputs that are not as they were. */
export function changed(olds: Props, news: Props): string[] {
  const text = (v: unknown) => JSON.stringify(unwrap(v)) ?? "";
  return Object.keys(news).filter((name) => text(olds[name]) !== text(news[name]));
}

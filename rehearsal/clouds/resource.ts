/** What a stand-in package is made of. */
import type { Session } from "./session";
import type { Props } from "./values";

export interface Failure {
  property: string;
  reason: string;
}

/** What a resource may use while it works. */
export interface Context {
  session: Session;
  urn: string;
  /** The resource's name in the program. */
  name: string;
  /** `customTimeouts` of this operation; 0 when none was given. */
  timeoutSeconds: number;
}

export interface Old {
  inputs: Props;
  outputs: Props;
}

/** One resource type, as the real provider treats it. */
export interface Resource {
  required?: string[];
  optional?: string[];
  /** Arguments whose change makes a new resource. Without `update` every argument does. */
  replaceOn?: string[];
  /** Arguments that the provider fills in when they are not given: their absence is no change. */
  computed?: string[];
  /** Arguments that the API does not give back: an import lacks them, a refresh keeps the state's. */
  unread?: string[];
  /** What is known only after the resource was made. */
  outputs?: string[];
  /** Outputs that are secret whatever the arguments are. */
  secrets?: string[];
  /** The argument that gets a name made from the resource's own, with seven random hex digits, when not given. */
  autoName?: string;
  /** The old one goes before the new one comes. */
  deleteFirst?: boolean;
  /** Any update may change the outputs, so that they are unknown in its preview. */
  outputsFollowUpdate?: boolean;
  /** Judges the arguments that are known; in a preview others may be missing. */
  check?(inputs: Props): Failure[];
  create(inputs: Props, c: Context): Promise<{ id: string; outputs?: Props }>;
  /** What is there now; undefined when it is gone. Without it the resource cannot be imported, and refresh sees nothing. */
  read?(id: string, c: Context): Promise<{ id?: string; inputs: Props; outputs?: Props } | undefined>;
  update?(id: string, inputs: Props, old: Old, c: Context): Promise<Props | void>;
  delete?(id: string, old: Old, c: Context): Promise<void>;
}

export type Function = (args: Props, c: Context) => Promise<Props>;

/** All that one plugin serves. */
export interface Package {
  name: string;
  version: string;
  /** Refuses a configuration with which the real provider would not start. */
  configure?(config: Props): void;
  resources: Record<string, Resource>;
  functions?: Record<string, Function>;
}

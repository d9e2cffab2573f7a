/**
 * @pulumi/random: made once, kept in the state. Every argument replaces; a refresh sees nothing.
 * Not modelled: bcryptHash (stays empty), RandomInteger, RandomPet, RandomShuffle, RandomUuid4 and 7, imports.
 */
import { randomBytes, randomInt, randomUUID } from "node:crypto";
import type { Failure, Package, Resource } from "./resource";
import type { Props } from "./values";

const CLASSES = [
  { flag: "lower", min: "minLower", letters: "abcdefghijklmnopqrstuvwxyz" },
  { flag: "upper", min: "minUpper", letters: "ABCDEFGHIJKLMNOPQRSTUVWXYZ" },
  { flag: "numeric", min: "minNumeric", letters: "0123456789" },
  { flag: "special", min: "minSpecial", letters: "!@#$%&*()-_=+[]{}<>:?" },
];

const STRING_OPTIONS = [
  "keepers",
  "overrideSpecial",
  "number",
  ...CLASSES.flatMap(({ flag, min }) => [flag, min]),
];

function lettersOf(flag: string, letters: string, inputs: Props): string {
  const wanted = inputs[flag] ?? (flag === "numeric" ? inputs["number"] : undefined) ?? true;
  if (!wanted) return "";
  return flag === "special" && inputs["overrideSpecial"] ? String(inputs["overrideSpecial"]) : letters;
}

function pick(letters: string, count: number): string[] {
  return Array.from({ length: count }, () => letters[randomInt(letters.length)] ?? "");
}

/** As many of each class as its minimum says, the rest from all that are allowed, in random order. */
function randomText(inputs: Props): string {
  const classes = CLASSES.map((c) => ({
    letters: lettersOf(c.flag, c.letters, inputs),
    min: Number(inputs[c.min] ?? 0),
  }));
  const all = classes.map((c) => c.letters).join("");
  const chosen = classes.flatMap((c) => (c.letters ? pick(c.letters, c.min) : []));
  chosen.push(...pick(all, Number(inputs["length"]) - chosen.length));
  for (let i = chosen.length - 1; i > 0; i--) {
    const j = randomInt(i + 1);
    [chosen[i], chosen[j]] = [chosen[j] ?? "", chosen[i] ?? ""];
  }
  return chosen.join("");
}

function checkText(inputs: Props): Failure[] {
  const length = inputs["length"];
  if (length === undefined) return [];
  const least = CLASSES.reduce((sum, { min }) => sum + Number(inputs[min] ?? 0), 0);
  if (Number(length) < Math.max(1, least)) {
    return [
      { property: "length", reason: `expected length to be at least ${Math.max(1, least)}, got ${length}` },
    ];
  }
  if (CLASSES.every((c) => lettersOf(c.flag, c.letters, inputs) === "")) {
    return [{ property: "special", reason: "at least one character set must be allowed" }];
  }
  return [];
}

const text: Omit<Resource, "create"> = {
  required: ["length"],
  optional: STRING_OPTIONS,
  check: checkText,
};

const randomPassword: Resource = {
  ...text,
  outputs: ["result"],
  secrets: ["result", "bcryptHash"],
  create: async (inputs) => ({ id: "none", outputs: { result: randomText(inputs) } }),
};

const randomString: Resource = {
  ...text,
  outputs: ["result"],
  async create(inputs) {
    const result = randomText(inputs);
    return { id: result, outputs: { result } };
  },
};

const randomId: Resource = {
  required: ["byteLength"],
  optional: ["keepers", "prefix"],
  outputs: ["b64Std", "b64Url", "dec", "hex"],
  async create(inputs) {
    const bytes = randomBytes(Number(inputs["byteLength"]));
    const prefix = String(inputs["prefix"] ?? "");
    const outputs = {
      b64Std: prefix + bytes.toString("base64"),
      b64Url: prefix + bytes.toString("base64url"),
      dec: prefix + BigInt(`0x${bytes.toString("hex")}`).toString(),
      hex: prefix + bytes.toString("hex"),
    };
    return { id: bytes.toString("base64url"), outputs };
  },
};

const randomBytesResource: Resource = {
  required: ["length"],
  optional: ["keepers"],
  outputs: ["base64", "hex"],
  secrets: ["base64", "hex"],
  async create(inputs) {
    const bytes = randomBytes(Number(inputs["length"]));
    const base64 = bytes.toString("base64");
    return { id: base64, outputs: { base64, hex: bytes.toString("hex") } };
  },
};

const randomUuid: Resource = {
  optional: ["keepers"],
  outputs: ["result"],
  async create() {
    const result = randomUUID();
    return { id: result, outputs: { result } };
  },
};

export const random: Package = {
  name: "random",
  version: "4.21.2",
  resources: {
    "random:index/randomPassword:RandomPassword": randomPassword,
    "random:index/randomString:RandomString": randomString,
    "random:index/randomId:RandomId": randomId,
    "random:index/randomBytes:RandomBytes": randomBytesResource,
    "random:index/randomUuid:RandomUuid": randomUuid,
  },
};

import { isIP, isIPv4 } from "node:net";

/** Whether it is an IPv4 address that one server can have: no network, no broadcast, not every machine's own. */
export function isServer(address: string): boolean {
  const first = Number(address.split(".")[0]);
  return isIPv4(address) && first >= 1 && first <= 223 && first !== 127;
}

/**
 * The network that a CIDR lies in, like 198.51.100.0/24 for 198.51.100.4/24; undefined where the text is no CIDR,
 * has a zone (fe80::1%eth0/64), or leading zeros, which some read as octal.
 */
export function networkOf(cidr: string): string | undefined {
  const [address = "", bits = "", ...rest] = cidr.split("/");
  const size = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
  if (address.includes("%") || rest.length || !/^(0|[1-9]\d{0,2})$/.test(bits) || Number(bits) > size)
    return undefined;
  const free = BigInt(size - Number(bits));
  const all = numberOf(address);
  const first = (all >> free) << free;
  // As it was written, unless it has to be another.
  return first === all ? cidr : `${textOf(first, size)}/${bits}`;
}

/** The groups of an IPv6 address, four hex digits each, or the bytes of an IPv4 address, as one number. */
function numberOf(address: string): bigint {
  if (isIPv4(address)) return address.split(".").reduce((n, byte) => (n << 8n) | BigInt(byte), 0n);
  const [head = [], tail = []] = shortest(address).split("::").map((half) => half.split(":").filter(Boolean)); // prettier-ignore
  const zeros = Array<string>(8 - head.length - tail.length).fill("0");
  return [...head, ...zeros, ...tail].reduce((n, group) => (n << 16n) | BigInt(`0x${group}`), 0n);
}

function textOf(address: bigint, size: number): string {
  const width = size === 32 ? 8 : 16;
  const groups = Array.from({ length: size / width }, (_, i) =>
    Number((address >> BigInt(size - width * (i + 1))) & BigInt(2 ** width - 1)),
  );
  return size === 32 ? groups.join(".") : shortest(groups.map((g) => g.toString(16)).join(":"));
}

/** An IPv6 address in hex groups and in its shortest form. */
export function shortest(address: string): string {
  return new URL(`http://[${address}]/`).hostname.slice(1, -1);
}

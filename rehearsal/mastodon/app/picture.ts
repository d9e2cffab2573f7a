import { deflateSync, crc32 } from "node:zlib";
import { randomBytes, randomFillSync } from "node:crypto";

const noise = randomBytes(1 << 22);

/** A picture unlike any other, of about so many bytes: a real PNG whose pixels are noise. */
export function picture(bytes: number): Buffer {
  const side = Math.max(1, Math.floor(Math.sqrt(bytes / 3)));
  const row = side * 3 + 1;
  const start = Math.floor(Math.random() * Math.max(1, noise.length - row * side));
  const raw = Buffer.from(noise.subarray(start, start + row * side));
  for (let y = 0; y < side; y++) raw[y * row] = 0;
  randomFillSync(raw, 1, Math.min(16, row - 1));
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  header.set([8, 2, 0, 0, 0], 8); // 8 bits a channel, RGB
  const signature = Buffer.from("\x89PNG\r\n\x1a\n", "latin1");
  const pixels = chunk("IDAT", deflateSync(raw, { level: 0 }));
  return Buffer.concat([signature, chunk("IHDR", header), pixels, chunk("IEND", Buffer.alloc(0))]);
}

/** Something that begins like a file of the type; its rest is noise. */
export function fileOf(contentType: string, bytes: number): Buffer {
  if (contentType === "image/png") return picture(bytes);
  const magic: Record<string, string> = {
    "image/jpeg": "\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00",
    "image/gif": "GIF89a",
    "image/webp": "RIFF\x00\x00\x00\x00WEBPVP8 ",
    "video/mp4": "\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom",
    "audio/mpeg": "ID3\x03\x00",
    "application/zip": "PK\x03\x04",
  };
  const start = Math.floor(Math.random() * Math.max(1, noise.length - bytes));
  return Buffer.concat([
    Buffer.from(magic[contentType] ?? "", "latin1"),
    randomBytes(16),
    noise.subarray(start, start + bytes),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.length, 0);
  frame.writeUInt32BE(crc32(body) >>> 0, 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
}

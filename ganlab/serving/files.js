// Files of samples that say that they are generated: PNG, zip and npz, written as Python writes them.

const GAP = 2; // pixels between a grid's pictures
const MIN_TILE = 56;
const CHECKER = 8;
const CHECKER_GREYS = [255, 204];
const COLOUR_TYPES = { 1: 0, 2: 4, 3: 2, 4: 6 }; // of PNG, by channels
const EPOCH = (1 << 5) | 1; // 1 January 1980, the first day of zip
const MEMBER_HEAD = [20, 0x0800, 0, 0, EPOCH]; // version, names in UTF-8, not compressed
const encoder = new TextEncoder();

const CHECKSUMS = Uint32Array.from({ length: 256 }, (_, value) => {
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

function checksum(bytes) {
  let sum = 0xffffffff;
  for (const byte of bytes) sum = CHECKSUMS[(sum ^ byte) & 0xff] ^ (sum >>> 8);
  return ~sum >>> 0;
}

function join(parts) {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let start = 0;
  for (const part of parts) {
    whole.set(part, start);
    start += part.length;
  }
  return whole;
}

/** Integers of 2 or 4 bytes, as [bytes, value] each. */
function packed(fields, little) {
  const view = new DataView(new ArrayBuffer(fields.reduce((size, [bytes]) => size + bytes, 0)));
  let start = 0;
  for (const [bytes, value] of fields) {
    if (bytes === 2) view.setUint16(start, value, little);
    else view.setUint32(start, value, little);
    start += bytes;
  }
  return new Uint8Array(view.buffer);
}

/** A PNG file of a picture { pixels, height, width, channels }, with texts by their keys. */
export async function toPng({ pixels, height, width, channels }, texts) {
  const row = width * channels;
  const lines = new Uint8Array(height * (row + 1));
  for (let y = 0; y < height; y += 1) lines.set(pixels.subarray(y * row, (y + 1) * row), y * (row + 1) + 1);
  const stream = new Blob([lines]).stream().pipeThrough(new CompressionStream("deflate"));
  const head = [...packed([[4, width], [4, height]], false), 8, COLOUR_TYPES[channels], 0, 0, 0];
  const chunk = (name, content) => {
    const body = join([encoder.encode(name), content]);
    return join([packed([[4, content.length]], false), body, packed([[4, checksum(body)]], false)]);
  };
  return join([
    Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10),
    chunk("IHDR", Uint8Array.from(head)),
    ...Object.entries(texts).map(([key, text]) => chunk("iTXt", encoder.encode(`${key}\0\0\0\0\0${text}`))),
    chunk("IDAT", new Uint8Array(await new Response(stream).arrayBuffer())),
    chunk("IEND", new Uint8Array()),
  ]);
}

/** A zip file of members [name, bytes], not compressed. */
export function toZip(members) {
  const parts = [];
  const list = [];
  let start = 0;
  for (const [name, content] of members) {
    const title = encoder.encode(name);
    const sizes = [[4, checksum(content)], [4, content.length], [4, content.length], [2, title.length], [2, 0]];
    const head = [...MEMBER_HEAD.map((value) => [2, value]), ...sizes];
    const member = join([packed([[4, 0x04034b50], ...head], true), title, content]);
    const place = [[2, 0], [2, 0], [2, 0], [4, 0], [4, start]];
    list.push(join([packed([[4, 0x02014b50], [2, 20], ...head, ...place], true), title]));
    parts.push(member);
    start += member.length;
  }
  const index = join(list);
  const counts = [[2, 0], [2, 0], [2, list.length], [2, list.length], [4, index.length], [4, start], [2, 0]];
  return join([...parts, index, packed([[4, 0x06054b50], ...counts], true)]);
}

/** An array of float32 of a shape, as NumPy's file. */
export function toNpy(values, shape) {
  const head = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape.join(", ")}${shape.length > 1 ? "" : ","}), }`;
  const text = head.padEnd(Math.ceil((head.length + 11) / 64) * 64 - 11) + "\n";
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return join([Uint8Array.of(147, ...encoder.encode("NUMPY"), 1, 0), packed([[2, text.length]], true), encoder.encode(text), bytes]);
}

/** A picture with opacity on a checkerboard; others as they are. */
function onCheckerboard({ pixels, height, width, channels }) {
  if (channels % 2) return { pixels, height, width, channels };
  const colours = channels - 1;
  const opaque = new Uint8ClampedArray(height * width * colours);
  for (let i = 0; i < height * width; i += 1) {
    const odd = (Math.floor(Math.floor(i / width) / CHECKER) + Math.floor((i % width) / CHECKER)) % 2;
    const opacity = pixels[i * channels + colours] / 255;
    for (let colour = 0; colour < colours; colour += 1) {
      opaque[i * colours + colour] = pixels[i * channels + colour] * opacity + CHECKER_GREYS[odd] * (1 - opacity);
    }
  }
  return { pixels: opaque, height, width, channels: colours };
}

function enlarged({ pixels, height, width, channels }, scale) {
  const large = new Uint8ClampedArray(height * width * channels * scale * scale);
  for (let y = 0; y < height * scale; y += 1) {
    for (let x = 0; x < width * scale; x += 1) {
      const from = (Math.floor(y / scale) * width + Math.floor(x / scale)) * channels;
      large.set(pixels.subarray(from, from + channels), (y * width * scale + x) * channels);
    }
  }
  return { pixels: large, height: height * scale, width: width * scale, channels };
}

/** Pictures in rows on one canvas, small ones enlarged; transparent ones on a checkerboard. */
export function toGrid(pictures, wanted) {
  const columns = Math.min(pictures.length, wanted ?? Math.ceil(Math.sqrt(pictures.length)));
  const rows = Math.ceil(pictures.length / columns);
  const scale = Math.max(1, Math.ceil(MIN_TILE / Math.max(pictures[0].height, pictures[0].width)));
  const tiles = pictures.map((picture) => onCheckerboard(enlarged(picture, scale)));
  const { height, width, channels } = tiles[0];
  const [full, high] = [columns * (width + GAP) + GAP, rows * (height + GAP) + GAP];
  const canvas = new Uint8ClampedArray(high * full * channels).fill(255);
  tiles.forEach(({ pixels }, index) => {
    const top = Math.floor(index / columns) * (height + GAP) + GAP;
    const left = (index % columns) * (width + GAP) + GAP;
    for (let y = 0; y < height; y += 1) {
      canvas.set(pixels.subarray(y * width * channels, (y + 1) * width * channels), ((top + y) * full + left) * channels);
    }
  });
  return { pixels: canvas, height: high, width: full, channels };
}

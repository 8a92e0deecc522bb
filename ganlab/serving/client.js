// What the server is asked, and what its answers hold.

const PATIENCE_SECONDS = 60;
const HEALTH_SECONDS = 2;

/** The server did not answer. */
export class Lost extends Error {}

/** The server refused a request, in one line. */
export class Refused extends Error {}

const wait = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

async function ask(path, options = {}) {
  try {
    return await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_SECONDS * 1000), ...options });
  } catch {
    throw new Lost(path);
  }
}

async function read(reply, how) {
  try {
    return await reply[how]();
  } catch {
    throw new Lost(reply.url);
  }
}

async function refusal(reply) {
  const said = await read(reply, "text");
  try {
    return new Refused(String(JSON.parse(said).error));
  } catch {
    return new Refused(`The server answered with ${reply.status}`);
  }
}

/** A JSON document of a path. */
export async function load(path) {
  const reply = await ask(path);
  if (!reply.ok) throw await refusal(reply);
  return read(reply, "json");
}

/** Samples of a model in a format, as bytes; waits where the server is busy. */
export async function sample(model, wanted, format, onBusy = () => {}) {
  const body = JSON.stringify({ ...wanted, format });
  const headers = { "Content-Type": "application/json" };
  for (;;) {
    const reply = await ask(`v1/models/${encodeURIComponent(model)}:sample`, { method: "POST", headers, body });
    if (reply.ok) return read(reply, "arrayBuffer");
    if (reply.status !== 429) throw await refusal(reply);
    onBusy();
    await wait(Math.min(Number(reply.headers.get("Retry-After")) || 1, 10));
  }
}

/** Pictures of an array in uint8 of shape (count, height, width, channels), as ImageData. */
export function readPictures(buffer) {
  const start = 10 + new DataView(buffer).getUint16(8, true);
  const head = new TextDecoder("latin1").decode(buffer.slice(10, start));
  const [count, height, width, channels] = /'shape': \(([^)]*)\)/.exec(head)[1].split(",").map(Number);
  const values = new Uint8Array(buffer, start);
  return Array.from({ length: count }, (_, index) => {
    const size = height * width;
    const pixels = new Uint8ClampedArray(4 * size);
    for (let i = 0; i < size; i += 1) {
      const from = (index * size + i) * channels;
      const grey = channels < 3;
      pixels[4 * i] = values[from];
      pixels[4 * i + 1] = values[grey ? from : from + 1];
      pixels[4 * i + 2] = values[grey ? from : from + 2];
      pixels[4 * i + 3] = channels % 2 ? 255 : values[from + channels - 1];
    }
    return new ImageData(pixels, width, height);
  });
}

/** The bytes of a file of a zip archive, which is not compressed, by its number. */
export function readMember(buffer, number) {
  const view = new DataView(buffer);
  let start = 0;
  for (let left = number; ; left -= 1) {
    const size = view.getUint32(start + 18, true);
    const content = start + 30 + view.getUint16(start + 26, true) + view.getUint16(start + 28, true);
    if (left === 0) return buffer.slice(content, content + size);
    start = content + size;
  }
}

/** Saves bytes as a file. */
export function save(content, name, type) {
  const url = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

/** Calls a function that takes one turn at a time; of calls that wait, the newest alone. */
export function newest(task) {
  let running = false;
  let waiting = null;
  return async (...values) => {
    waiting = values;
    if (running) return;
    running = true;
    try {
      while (waiting) {
        const next = waiting;
        waiting = null;
        await task(...next);
      }
    } finally {
      running = false;
    }
  };
}

/** Tells again and again whether the server answers. */
export async function watch(tell) {
  for (;;) {
    await wait(HEALTH_SECONDS);
    try {
      const reply = await fetch("v2/health/live", { cache: "no-store", signal: AbortSignal.timeout(5000) });
      tell(reply.ok);
    } catch {
      tell(false);
    }
  }
}

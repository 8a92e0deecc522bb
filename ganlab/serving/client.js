// Samples of a server: what it is asked, and what its answers hold.

import { Lost, Refused, toPicture, wait } from "./tasks.js";

const PATIENCE_SECONDS = 60;
const HEALTH_SECONDS = 2;

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

async function load(path) {
  const reply = await ask(path);
  if (!reply.ok) throw await refusal(reply);
  return read(reply, "json");
}

/** What models there are, and what each takes. */
export async function listModels() {
  return (await load("v1/models")).models;
}

/** Sections of a model's card. */
export async function loadCard(model) {
  return (await load(`v1/models/${encodeURIComponent(model)}/card`)).sections;
}

/** Samples of a model as bytes of a file; waits where the server is busy. */
export async function drawFile(model, wanted, format, onBusy) {
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

/** Pictures of a model, as ImageData. */
export async function drawPictures(model, wanted, onBusy) {
  const buffer = await drawFile(model, wanted, "npy", onBusy);
  const start = 10 + new DataView(buffer).getUint16(8, true);
  const head = new TextDecoder("latin1").decode(buffer.slice(10, start));
  const [count, ...shape] = /'shape': \(([^)]*)\)/.exec(head)[1].split(",").map(Number);
  const size = shape[0] * shape[1] * shape[2];
  return Array.from({ length: count }, (_, index) => toPicture(new Uint8Array(buffer, start + index * size, size), ...shape));
}

/** The PNG file of one of the pictures of a request, by its number. */
export async function drawPictureFile(model, wanted, number, onBusy) {
  return readMember(await drawFile(model, wanted, "zip", onBusy), number);
}

/** The bytes of a file of a zip archive, which is not compressed, by its number. */
function readMember(buffer, number) {
  const view = new DataView(buffer);
  let start = 0;
  for (let left = number; ; left -= 1) {
    const size = view.getUint32(start + 18, true);
    const content = start + 30 + view.getUint16(start + 26, true) + view.getUint16(start + 28, true);
    if (left === 0) return buffer.slice(content, content + size);
    start = content + size;
  }
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

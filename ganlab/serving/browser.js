// Samples that are drawn in the browser: the answers of a server, of onnxruntime-web and the model beside the page.

import { drawLatents, interpolate } from "./latents.js";
import { toGrid, toNpy, toPng, toZip } from "./files.js";
import { env, InferenceSession, Tensor } from "./onnxruntime.js";
import { Refused, toPicture, wait } from "./tasks.js";

const BATCH = 8; // samples between which the page may answer its user

let opened = null;
let running = Promise.resolve();

async function read(name, how) {
  let said = "no answer";
  try {
    const reply = await fetch(`page/${name}`);
    if (reply.ok) return await reply[how]();
    said = reply.status;
  } catch {
    // of no use beside the name
  }
  throw new Refused(`Expected page/${name} beside this page. Received: ${said}; copy the whole folder, then reload the page`);
}

async function open() {
  const [description, weights, runtime] = await Promise.all([
    read("model.json", "json"),
    read("generator.onnx", "arrayBuffer"),
    read("onnxruntime.wasm", "arrayBuffer"),
  ]);
  Object.assign(env.wasm, { wasmBinary: runtime, numThreads: 1 });
  try {
    return { ...description, session: await InferenceSession.create(weights, { executionProviders: ["wasm"] }) };
  } catch (error) {
    throw new Refused(`Expected a browser that runs WebAssembly. Received: ${error.message}`);
  }
}

async function opening() {
  opened ??= open();
  try {
    return await opened;
  } catch (error) {
    opened = null;
    throw error;
  }
}

/** What models there are, and what each takes. */
export async function listModels() {
  return [(await opening()).model];
}

/** Sections of the model's card. */
export async function loadCard() {
  return (await opening()).sections;
}

/** Latents and classes of what is wanted. */
function inputsOf({ model, directions }, { seed, count, label, truncation, first = 0, last, shift = [] }) {
  const drawn = last === undefined ? first + count : Math.max(first, last) + 1;
  const latents = drawLatents(drawn, model.latent_dim, seed, truncation);
  const rows = last === undefined ? latents.slice(first) : interpolate(latents[first], latents[last], count);
  shift.forEach((step, index) => {
    for (const row of rows) directions[index].forEach((value, column) => (row[column] += step * value));
  });
  const classes = model.class_names.length;
  const classOf = (number) => (label === undefined ? number % classes : model.class_names.indexOf(label));
  return { rows, labels: classes ? rows.map((_, index) => classOf(last === undefined ? first + index : first)) : null };
}

/** Samples of latents and classes, a Float32Array each. */
async function generate({ session, latents, model }, rows, labels) {
  const size = model.image_shape.reduce((product, side) => product * side, 1);
  const samples = [];
  for (let start = 0; start < rows.length; start += BATCH) {
    const part = rows.slice(start, start + BATCH);
    const feeds = {};
    let column = 0;
    for (const [name, shape] of Object.entries(latents)) {
      const width = shape.reduce((product, side) => product * side, 1);
      const values = new Float32Array(part.length * width);
      part.forEach((row, index) => values.set(row.subarray(column, column + width), index * width));
      feeds[name] = new Tensor("float32", values, [part.length, ...shape]);
      column += width;
    }
    if (labels) feeds.labels = new Tensor("int32", Int32Array.from(labels.slice(start, start + BATCH)), [part.length]);
    const { images } = await session.run(feeds, ["images"]);
    for (let index = 0; index < part.length; index += 1) samples.push(images.data.slice(index * size, (index + 1) * size));
    await wait(0);
  }
  return samples;
}

/** What is wanted, drawn: one request after the other, for a session has one run at a time. */
async function draw(wanted) {
  const source = await opening();
  const { rows, labels } = inputsOf(source, wanted);
  const turn = running.then(() => generate(source, rows, labels));
  running = turn.catch(() => {});
  return { ...source, labels, samples: await turn };
}

/** Pictures of samples, in bytes. */
function stored({ model, range, samples }) {
  const [height, width, channels] = model.image_shape;
  const [low, high] = range;
  const scale = Math.fround(255 / (high - low));
  return samples.map((sample) => ({ pixels: Uint8ClampedArray.from(sample, (value) => Math.fround(Math.fround(value - low) * scale)), height, width, channels }));
}

const seeded = (text, seed) => text.replace("@SEED@", seed);

/** What PNG files of a seed say of themselves, by key. */
function textsOf({ marks }, seed) {
  return Object.fromEntries(Object.entries(marks.png).map(([key, text]) => [key, seeded(text, seed)]));
}

/** Pictures of the model, as ImageData. */
export async function drawPictures(name, wanted) {
  const pictures = stored(await draw(wanted));
  return pictures.map(({ pixels, height, width, channels }) => toPicture(pixels, height, width, channels));
}

/** Samples of the model as bytes of a file. */
export async function drawFile(name, wanted, format) {
  const drawn = await draw(wanted);
  const { model, labels, samples } = drawn;
  if (format === "npz") {
    const values = new Float32Array(await new Blob(samples).arrayBuffer());
    const mark = new TextEncoder().encode(seeded(drawn.marks.json, wanted.seed));
    return toZip([["images.npy", toNpy(values, [samples.length, ...model.image_shape])], ["provenance.json", mark]]);
  }
  const texts = textsOf(drawn, wanted.seed);
  const pictures = stored(drawn);
  if (format === "png") {
    const inTurn = labels && wanted.label === undefined && wanted.last === undefined;
    return toPng(toGrid(pictures, inTurn ? model.class_names.length : null), texts);
  }
  const files = await Promise.all(pictures.map((picture) => toPng(picture, texts)));
  return toZip(files.map((file, index) => [`${String(index).padStart(5, "0")}${labels ? `-class${labels[index]}` : ""}.png`, file]));
}

/** The PNG file of one of the pictures of a request, by its number. */
export async function drawPictureFile(name, wanted, number) {
  const drawn = await draw(wanted);
  return toPng(stored(drawn)[number], textsOf(drawn, wanted.seed));
}

/** Nothing is watched: what was loaded stays. */
export function watch() {}

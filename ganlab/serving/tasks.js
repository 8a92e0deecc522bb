// What both sources of samples share with the page: refusals, turns and files that are saved.

/** The server did not answer. */
export class Lost extends Error {}

/** What was asked for was refused, in one line. */
export class Refused extends Error {}

export const wait = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

/** One picture of numbers from 0 to 255 of (height, width, channels), as ImageData. */
export function toPicture(values, height, width, channels) {
  const size = height * width;
  const pixels = new Uint8ClampedArray(4 * size);
  for (let i = 0; i < size; i += 1) {
    const from = i * channels;
    const grey = channels < 3;
    pixels[4 * i] = values[from];
    pixels[4 * i + 1] = values[grey ? from : from + 1];
    pixels[4 * i + 2] = values[grey ? from : from + 2];
    pixels[4 * i + 3] = channels % 2 ? 255 : values[from + channels - 1];
  }
  return new ImageData(pixels, width, height);
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

// The latents of a seed, as NumPy's `default_rng(seed).standard_normal` draws them in float32.
//
// SeedSequence and PCG64 (O'Neill, 2014), and the ziggurat (Marsaglia and Tsang, 2000) of 256 layers.

const MASK = (1n << 128n) - 1n;
const MULTIPLIER = 0x2360ed051fc65da44385df649fccf645n;
const POOL = 4;
const LAYERS = 256;
const EDGE = 3.6541528853610088; // where the tail begins
const AREA = 0.004928673233974658; // of every layer
const SCALE = 2 ** 23;
const STEPS = 12; // of Newton's method, which doubles the digits in each
const { fround, imul } = Math;

/** Numbers of 32 bits without order, each of all words of a seed. */
function mixed(seed) {
  const words = [seed >>> 0, Math.floor(seed / 2 ** 32)];
  let constant = 0x43b0d7e5;
  const hash = (word) => {
    const value = imul(word ^ constant, (constant = imul(constant, 0x931e8875)));
    return value ^ (value >>> 16);
  };
  const pool = Array.from({ length: POOL }, (_, index) => hash(words[index] ?? 0));
  for (let source = 0; source < POOL; source += 1) {
    for (let target = 0; target < POOL; target += 1) {
      if (source === target) continue;
      const value = imul(pool[target], 0xca01f9dd) - imul(hash(pool[source]), 0x4973f715);
      pool[target] = value ^ (value >>> 16);
    }
  }
  constant = 0x8b51f9dd;
  return Array.from({ length: 2 * POOL }, (_, index) => {
    const value = imul(pool[index % POOL] ^ constant, (constant = imul(constant, 0x58f38ded)));
    return BigInt((value ^ (value >>> 16)) >>> 0);
  });
}

/** A function that gives the next integer of 32 bits of a seed. */
function integersOf(seed) {
  const words = mixed(seed);
  const [high, low, highStream, lowStream] = [0, 2, 4, 6].map((index) => words[index] | (words[index + 1] << 32n));
  const increment = (((highStream << 64n) | lowStream) << 1n | 1n) & MASK;
  let state = ((increment + ((high << 64n) | low)) * MULTIPLIER + increment) & MASK;
  let left = null;
  return () => {
    if (left !== null) {
      const value = left;
      left = null;
      return value;
    }
    state = (state * MULTIPLIER + increment) & MASK;
    const folded = BigInt.asUintN(64, (state >> 64n) ^ state);
    const turn = state >> 122n;
    const value = BigInt.asUintN(64, (folded >> turn) | (folded << (64n - turn)));
    left = Number(value >> 32n);
    return Number(value & 0xffffffffn);
  };
}

/** Widths, bounds and heights of the layers. */
function layers() {
  const density = (x) => Math.exp((-x * x) / 2);
  const edges = new Array(LAYERS);
  edges[LAYERS - 1] = EDGE;
  for (let layer = LAYERS - 2; layer > 0; layer -= 1) {
    const above = edges[layer + 1];
    edges[layer] = Math.sqrt(-2 * Math.log(AREA / above + density(above)));
  }
  edges[0] = AREA / density(EDGE);
  const bounds = edges.map((edge, layer) => (layer === 1 ? 0 : (layer ? edges[layer - 1] : EDGE) / edge) * SCALE);
  return {
    widths: Float32Array.from(edges, (edge) => edge / SCALE),
    bounds: Uint32Array.from(bounds),
    heights: Float32Array.from(edges, (edge, layer) => (layer ? density(edge) : 1)),
  };
}

let tables = null;

/** A function that gives the next standard normal number of a seed, in float32. */
export function normalsOf(seed) {
  tables ??= layers();
  const { widths, bounds, heights } = tables;
  const next = integersOf(seed);
  const uniform = () => fround((next() >>> 8) / 2 ** 24);
  const exponential = () => fround(-fround(Math.log1p(-uniform())));
  return () => {
    for (;;) {
      const bits = next();
      const layer = bits & 0xff;
      const size = (bits >>> 9) & 0x7fffff;
      const x = fround((bits & 0x100 ? -1 : 1) * fround(size * widths[layer]));
      if (size < bounds[layer]) return x;
      if (layer) {
        const height = fround(fround(fround(heights[layer - 1] - heights[layer]) * uniform()) + heights[layer]);
        if (height < Math.exp(-0.5 * x * x)) return x;
        continue;
      }
      for (;;) {
        const beyond = fround(fround(1 / EDGE) * exponential());
        const height = exponential();
        if (fround(height + height) <= fround(beyond * beyond)) continue;
        return fround(((size >>> 8) & 1 ? -1 : 1) * fround(fround(EDGE) + beyond));
      }
    }
  };
}

/** The normal distribution up to a number, by its series (exact to 1e-15). */
function cumulative(x) {
  if (Math.abs(x) > 8) return x > 0 ? 1 : 0;
  let term = x;
  let sum = x;
  for (let odd = 3; sum + term !== sum; odd += 2) {
    term *= (x * x) / odd;
    sum += term;
  }
  return 0.5 + (sum * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI);
}

/** The counterpart of a normal number in the normal distribution that is cut off at `limit`. */
export function truncated(x, limit) {
  const tail = cumulative(-limit);
  const sought = tail + cumulative(x) * (1 - 2 * tail);
  let value = 0;
  for (let step = 0; step < STEPS; step += 1) {
    value += ((sought - cumulative(value)) * Math.sqrt(2 * Math.PI)) / Math.exp((-value * value) / 2);
  }
  return fround(value);
}

/** Latents of a seed, a Float32Array for each of the first samples. */
export function drawLatents(count, size, seed, truncation = null) {
  const next = normalsOf(seed);
  const one = truncation === null ? next : () => truncated(next(), truncation);
  return Array.from({ length: count }, () => Float32Array.from({ length: size }, one));
}

/** Latents on the great circle from `start` to `end`, both included. */
export function interpolate(start, end, count) {
  const dot = (a, b) => a.reduce((sum, value, index) => sum + value * b[index], 0);
  const cosine = dot(start, end) / Math.sqrt(dot(start, start) * dot(end, end));
  const angle = Math.max(Math.acos(Math.min(Math.max(cosine, -1), 1)), 1e-6);
  return Array.from({ length: count }, (_, frame) => {
    const fraction = frame / (count - 1);
    const [near, far] = [1 - fraction, fraction].map((part) => Math.sin(part * angle) / Math.sin(angle));
    return start.map((value, index) => near * value + far * end[index]);
  });
}

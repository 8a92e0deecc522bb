// The game of a generator and a discriminator in the plane.

import { Adam, Network, Random } from "./network.js";

export const BATCH = 64;
export const SCORED = 500; // samples that modes are counted by
const DEVIATION = 0.05; // of each mode
export const NEAR = 3 * DEVIATION; // distance within which a sample belongs to a mode

const softplus = (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const sigmoid = (x) => 1 / (1 + Math.exp(-x));

function ring(count) {
  return Array.from({ length: count }, (_, k) => {
    const angle = (2 * Math.PI * k) / count;
    return [Math.cos(angle), Math.sin(angle)];
  });
}

export const DATA = {
  ring: ring(8),
  pair: [[-0.8, 0], [0.8, 0]],
  grid: [-1, 0, 1].flatMap((x) => [-1, 0, 1].map((y) => [x, y])),
};

// Of a logit: the loss and its slope, on each side. Real is the positive side.
export const LOSSES = {
  non_saturating: {
    real: (x) => [softplus(-x), sigmoid(x) - 1],
    fake: (x) => [softplus(x), sigmoid(x)],
    generator: (x) => [softplus(-x), sigmoid(x) - 1],
  },
  minimax: {
    real: (x) => [softplus(-x), sigmoid(x) - 1],
    fake: (x) => [softplus(x), sigmoid(x)],
    generator: (x) => [-softplus(x), -sigmoid(x)],
  },
  least_squares: {
    real: (x) => [0.5 * (x - 1) ** 2, x - 1],
    fake: (x) => [0.5 * x ** 2, x],
    generator: (x) => [0.5 * (x - 1) ** 2, x - 1],
  },
  hinge: {
    real: (x) => [Math.max(0, 1 - x), x < 1 ? -1 : 0],
    fake: (x) => [Math.max(0, 1 + x), x > -1 ? 1 : 0],
    generator: (x) => [-x, -1],
  },
};

// What a play starts from.
export const DEFAULTS = {
  data: "ring",
  loss: "non_saturating",
  activation: "leaky_relu",
  units: 32,
  generatorRate: 1e-3,
  discriminatorRate: 2e-3,
  discriminatorSteps: 1,
  seed: 1,
};

export class Game {
  constructor(settings = {}) {
    this.settings = { ...DEFAULTS, ...settings };
    const { activation, units, generatorRate, discriminatorRate, seed } = this.settings;
    this.random = new Random(seed);
    this.centers = DATA[this.settings.data];
    this.generator = new Network([2, units, units, 2], activation, this.random);
    this.discriminator = new Network([2, units, units, 1], activation, this.random);
    this.generatorOptimizer = new Adam(this.generator, generatorRate);
    this.discriminatorOptimizer = new Adam(this.discriminator, discriminatorRate);
    this.fixed = this.latents(SCORED);
    this.steps = 0;
  }

  latents(count) {
    return Float64Array.from({ length: 2 * count }, () => this.random.normal());
  }

  real(count) {
    const points = new Float64Array(2 * count);
    for (let row = 0; row < count; row++) {
      const [x, y] = this.centers[Math.floor(this.random.uniform() * this.centers.length)];
      points[2 * row] = x + DEVIATION * this.random.normal();
      points[2 * row + 1] = y + DEVIATION * this.random.normal();
    }
    return points;
  }

  // Loss and logits of a side; adds to the discriminator's gradients, and keeps those of the points.
  judge(points, side) {
    const logits = this.discriminator.forward(points, BATCH);
    const gradient = new Float64Array(BATCH);
    let loss = 0;
    for (let row = 0; row < BATCH; row++) {
      const [value, slope] = LOSSES[this.settings.loss][side](logits[row]);
      loss += value / BATCH;
      gradient[row] = slope / BATCH;
    }
    return { loss, logits, gradient, points: this.discriminator.backward(gradient, BATCH) };
  }

  step() {
    let real;
    let fake;
    for (let index = 0; index < this.settings.discriminatorSteps; index++) {
      this.discriminator.clear();
      real = this.judge(this.real(BATCH), "real");
      fake = this.judge(this.generator.forward(this.latents(BATCH), BATCH), "fake");
      this.discriminatorOptimizer.apply();
    }
    this.discriminator.clear();
    this.generator.clear();
    const made = this.judge(this.generator.forward(this.latents(BATCH), BATCH), "generator");
    this.generator.backward(made.points, BATCH);
    this.generatorOptimizer.apply();
    this.steps += 1;
    const share = (values, test) => values.filter(test).length / values.length;
    return {
      step: this.steps,
      d_loss: real.loss + fake.loss,
      g_loss: made.loss,
      d_real: real.logits.reduce((sum, x) => sum + sigmoid(x) / real.logits.length, 0),
      d_fake: fake.logits.reduce((sum, x) => sum + sigmoid(x) / fake.logits.length, 0),
      d_accuracy: (share(real.logits, (x) => x > 0) + share(fake.logits, (x) => x < 0)) / 2,
      g_logit_gradient: made.gradient.reduce((sum, x) => sum + Math.abs(x), 0),
      g_dead_share: this.generator.deadShare(BATCH),
    };
  }

  // Samples of latents that stay the same.
  samples() {
    return this.generator.forward(this.fixed, SCORED);
  }

  // How many modes have a sample near, and which part of the samples is near one.
  scores(points = this.samples()) {
    const counts = this.centers.map(() => 0);
    for (let row = 0; row < SCORED; row++) {
      const near = this.centers.findIndex(
        ([x, y]) => Math.hypot(points[2 * row] - x, points[2 * row + 1] - y) < NEAR,
      );
      if (near >= 0) counts[near] += 1;
    }
    const good = counts.reduce((sum, count) => sum + count, 0);
    return { counts, modes_hit: counts.filter(Boolean).length, high_quality_share: good / SCORED };
  }

  // Where each fake would go to lessen the generator's loss: against its gradient.
  pulls(fakes) {
    const logits = this.discriminator.forward(fakes, SCORED);
    const slopes = logits.map((x) => -LOSSES[this.settings.loss].generator(x)[1]);
    return this.discriminator.backward(slopes, SCORED);
  }

  // D's probability at some points.
  belief(points, count) {
    return this.discriminator.forward(points, count).map(sigmoid);
  }
}

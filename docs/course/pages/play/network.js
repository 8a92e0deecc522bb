// Dense networks, their gradients and Adam, for a batch at a time.

// mulberry32, and pairs of normal numbers by Box and Muller.
export class Random {
  constructor(seed) {
    this.state = seed >>> 0;
    this.spare = null;
  }

  uniform() {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), bits | 61)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 4294967296;
  }

  normal() {
    if (this.spare !== null) {
      const value = this.spare;
      this.spare = null;
      return value;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    const angle = 2 * Math.PI * this.uniform();
    this.spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }
}

// Values and slopes; a slope is a function of the value that came out.
export const ACTIVATIONS = {
  leaky_relu: [(x) => (x > 0 ? x : 0.2 * x), (y) => (y > 0 ? 1 : 0.2)],
  relu: [(x) => (x > 0 ? x : 0), (y) => (y > 0 ? 1 : 0)],
  tanh: [Math.tanh, (y) => 1 - y * y],
  sigmoid: [(x) => 1 / (1 + Math.exp(-x)), (y) => y * (1 - y)],
  linear: [(x) => x, () => 1],
};

class Dense {
  constructor(inputs, units, activation, random) {
    Object.assign(this, { inputs, units, activation });
    const limit = Math.sqrt(6 / (inputs + units)); // Glorot's
    this.kernel = Float64Array.from({ length: inputs * units }, () => limit * (2 * random.uniform() - 1));
    this.bias = new Float64Array(units);
    this.kernelGradient = new Float64Array(inputs * units);
    this.biasGradient = new Float64Array(units);
  }

  forward(batch, count) {
    const { inputs, units, kernel, bias } = this;
    const [activate] = ACTIVATIONS[this.activation];
    const outputs = new Float64Array(count * units);
    for (let row = 0; row < count; row++) {
      const start = row * units;
      for (let unit = 0; unit < units; unit++) outputs[start + unit] = bias[unit];
      for (let input = 0; input < inputs; input++) {
        const value = batch[row * inputs + input];
        if (value === 0) continue;
        const weights = input * units;
        for (let unit = 0; unit < units; unit++) outputs[start + unit] += value * kernel[weights + unit];
      }
      for (let unit = 0; unit < units; unit++) outputs[start + unit] = activate(outputs[start + unit]);
    }
    this.batch = batch;
    this.outputs = outputs;
    return outputs;
  }

  // Adds to the gradients of kernel and bias, and returns that of the inputs.
  backward(gradient, count) {
    const { inputs, units, kernel, kernelGradient, biasGradient, batch, outputs } = this;
    const slope = ACTIVATIONS[this.activation][1];
    const inputGradient = new Float64Array(count * inputs);
    const local = new Float64Array(units);
    for (let row = 0; row < count; row++) {
      for (let unit = 0; unit < units; unit++) {
        local[unit] = gradient[row * units + unit] * slope(outputs[row * units + unit]);
        biasGradient[unit] += local[unit];
      }
      for (let input = 0; input < inputs; input++) {
        const value = batch[row * inputs + input];
        const weights = input * units;
        let sum = 0;
        for (let unit = 0; unit < units; unit++) {
          sum += local[unit] * kernel[weights + unit];
          kernelGradient[weights + unit] += value * local[unit];
        }
        inputGradient[row * inputs + input] = sum;
      }
    }
    return inputGradient;
  }
}

export class Network {
  // widths: of inputs, hidden layers and outputs; the last layer is linear.
  constructor(widths, activation, random) {
    this.layers = widths.slice(1).map((units, index) => {
      const isLast = index === widths.length - 2;
      return new Dense(widths[index], units, isLast ? "linear" : activation, random);
    });
  }

  forward(batch, count) {
    return this.layers.reduce((values, layer) => layer.forward(values, count), batch);
  }

  backward(gradient, count) {
    return this.layers.reduceRight((values, layer) => layer.backward(values, count), gradient);
  }

  clear() {
    for (const [, gradient] of this.parameters()) gradient.fill(0);
  }

  // Pairs of variables and their gradients.
  parameters() {
    return this.layers.flatMap((layer) => [
      [layer.kernel, layer.kernelGradient],
      [layer.bias, layer.biasGradient],
    ]);
  }

  // The fraction of hidden ReLU units that no sample of the last batch made fire.
  deadShare(count) {
    let dead = 0;
    let total = 0;
    for (const layer of this.layers.filter(({ activation }) => activation === "relu")) {
      for (let unit = 0; unit < layer.units; unit++) {
        let fires = false;
        for (let row = 0; row < count && !fires; row++) fires = layer.outputs[row * layer.units + unit] > 0;
        dead += !fires;
        total += 1;
      }
    }
    return total ? dead / total : 0;
  }
}

// Kingma and Ba, 2014, with the epsilon that Keras has.
export class Adam {
  constructor(network, rate, beta1 = 0.5, beta2 = 0.999) {
    Object.assign(this, { network, rate, beta1, beta2, step: 0 });
    this.moments = network.parameters().map(([variable]) => [
      new Float64Array(variable.length),
      new Float64Array(variable.length),
    ]);
  }

  apply() {
    this.step += 1;
    const { beta1, beta2 } = this;
    const rate = (this.rate * Math.sqrt(1 - beta2 ** this.step)) / (1 - beta1 ** this.step);
    this.network.parameters().forEach(([variable, gradient], index) => {
      const [mean, square] = this.moments[index];
      for (let i = 0; i < variable.length; i++) {
        mean[i] += (1 - beta1) * (gradient[i] - mean[i]);
        square[i] += (1 - beta2) * (gradient[i] ** 2 - square[i]);
        variable[i] -= (rate * mean[i]) / (Math.sqrt(square[i]) + 1e-7);
      }
    });
  }
}

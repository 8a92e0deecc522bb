const SVG = "http://www.w3.org/2000/svg";

function draw(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

// Numbers and times

function number(value) {
  const size = Math.abs(value);
  if (size !== 0 && (size < 0.001 || size >= 1e6)) return value.toExponential(1).replace(".0e", "e");
  return String(Number(value.toPrecision(3)));
}

function shortStep(step) {
  if (step >= 1e6) return `${Number((step / 1e6).toPrecision(3))}M`;
  return step >= 1e4 ? `${Number((step / 1e3).toPrecision(3))}k` : count.format(step);
}

function duration(seconds) {
  const units = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const first = Math.max(units.findIndex(([size]) => seconds >= size), 0);
  if (seconds < 1) return "0 s";
  const [size, name] = units[first];
  const whole = Math.floor(seconds / size);
  if (first === 3) return `${whole} ${name}`;
  const [smaller, smallName] = units[first + 1];
  const rest = Math.floor((seconds % size) / smaller);
  return rest ? `${whole} ${name} ${rest} ${smallName}` : `${whole} ${name}`;
}

// Charts

const HEIGHT = 152;
const MARGIN = { left: 46, right: 10, top: 8, bottom: 20 };

function ticks(low, high, wanted) {
  const raw = (high - low) / wanted;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= raw) * power;
  const result = [];
  for (let index = Math.ceil(low / step); index * step <= high * (1 + 1e-12); index++) {
    result.push(index * step);
  }
  return result;
}

function logTicks(low, high) {
  const result = [];
  const last = Math.floor(Math.log10(high));
  const stride = Math.ceil((last - Math.ceil(Math.log10(low)) + 1) / 5);
  for (let power = Math.ceil(Math.log10(low)); power <= last; power += stride) {
    result.push(10 ** power);
  }
  return result;
}

function valueScale(panel) {
  const values = panel.curves.flatMap((curve) => curve.values);
  const limits = panel.curves.map((curve) => curve.threshold).filter((v) => v !== null);
  const shown = panel.logarithmic ? limits.filter((value) => value > 0) : limits;
  let low = Math.min(...values, ...shown);
  let high = Math.max(...values, ...shown);
  const bend = panel.logarithmic ? Math.log10 : (value) => value;
  if (panel.logarithmic) {
    low /= 1.3;
    high *= 1.3;
  } else {
    const room = (high - low || Math.abs(high) || 1) * 0.06;
    low -= room;
    high += room;
  }
  const bottom = HEIGHT - MARGIN.bottom;
  const factor = (bottom - MARGIN.top) / (bend(high) - bend(low));
  return {
    at: (value) => bottom - (bend(value) - bend(low)) * factor,
    ticks: panel.logarithmic ? logTicks(low, high) : ticks(low, high, 4),
    shown,
  };
}

function stepScale(panel, width) {
  const first = Math.min(...panel.curves.map((curve) => curve.steps[0]));
  const last = Math.max(...panel.curves.map((curve) => curve.steps.at(-1)));
  const room = width - MARGIN.left - MARGIN.right;
  return {
    at: (step) => MARGIN.left + ((step - first) / (last - first || 1)) * room,
    step: (x) => first + ((x - MARGIN.left) / room) * (last - first),
    ticks: ticks(first, last, Math.max(2, Math.floor(room / 90))),
  };
}

function nearest(steps, step) {
  let best = 0;
  steps.forEach((candidate, index) => {
    if (Math.abs(candidate - step) < Math.abs(steps[best] - step)) best = index;
  });
  return best;
}

function plot(panel, width, follow) {
  const x = stepScale(panel, width);
  const y = valueScale(panel);
  const right = width - MARGIN.right;
  const bottom = HEIGHT - MARGIN.bottom;
  const parts = [];
  for (const value of y.ticks) {
    const height = y.at(value).toFixed(1);
    parts.push(
      draw("line", { class: "grid", x1: MARGIN.left, x2: right, y1: height, y2: height }),
      draw("text", { x: MARGIN.left - 6, y: height, "text-anchor": "end", dy: "0.32em" }, number(value)),
    );
  }
  for (const step of x.ticks) {
    parts.push(draw("text", { x: x.at(step).toFixed(1), y: HEIGHT - 4, "text-anchor": "middle" }, shortStep(step)));
  }
  const vertical = (name, step) =>
    draw("line", { class: name, x1: x.at(step), x2: x.at(step), y1: MARGIN.top, y2: bottom });
  if (panel.since !== null) parts.push(vertical("since", Math.max(x.step(MARGIN.left), panel.since)));
  panel.curves.forEach((curve, index) => {
    if (y.shown.includes(curve.threshold)) {
      const height = y.at(curve.threshold);
      parts.push(
        draw("line", { class: `threshold c${index % 4}`, x1: MARGIN.left, x2: right, y1: height, y2: height }),
      );
    }
    const points = curve.steps.map((step, i) => `${x.at(step).toFixed(1)},${y.at(curve.values[i]).toFixed(1)}`);
    parts.push(draw("polyline", { class: `curve c${index % 4}`, points: points.join(" ") }));
  });
  const cursor = vertical("cursor", x.step(MARGIN.left));
  const latest = panel.curves.map((curve) => `${curve.name} ${number(curve.values.at(-1))}`);
  const last = Math.max(...panel.curves.map((curve) => curve.steps.at(-1)));
  const label = `${panel.title || "Evidence"}, at step ${count.format(last)}: ${latest.join(", ")}`;
  const svg = draw("svg", { class: "plot", role: "img", "aria-label": label, viewBox: `0 0 ${width} ${HEIGHT}` }, ...parts, cursor);
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect();
    const step = x.step(((event.clientX - box.left) / box.width) * width);
    const snapped = panel.curves[0].steps[nearest(panel.curves[0].steps, step)];
    cursor.setAttribute("x1", x.at(snapped));
    cursor.setAttribute("x2", x.at(snapped));
    cursor.style.visibility = "visible";
    follow(snapped);
  });
  svg.addEventListener("pointerleave", () => {
    cursor.style.visibility = "hidden";
    follow(null);
  });
  return svg;
}

function legend(panel) {
  const values = panel.curves.map(() => make("b"));
  const where = make("li");
  const items = panel.curves.map((curve, index) => {
    const swatch = draw("line", { class: `curve c${index % 4}`, x1: 0, x2: 21, y1: 4, y2: 4 });
    const limit = curve.threshold === null ? "" : `threshold ${number(curve.threshold)}`;
    return make("li", {}, draw("svg", { "aria-hidden": "true", viewBox: "0 0 21 8" }, swatch), curve.name, values[index], limit);
  });
  const follow = (step) => {
    panel.curves.forEach((curve, index) => {
      const place = step === null ? curve.values.length - 1 : nearest(curve.steps, step);
      values[index].textContent = number(curve.values[place]);
    });
    where.textContent = step === null ? "" : `step ${count.format(step)}`;
  };
  follow(null);
  return [make("ul", { class: "legend" }, ...items, where), follow];
}

const charts = new Map();

function chart(key, panel) {
  const known = charts.get(key);
  const figure = known ? known.figure : make("figure", { class: "panel" });
  charts.set(key, { figure, panel });
  return figure;
}

function drawCharts() {
  for (const [key, { figure, panel }] of charts) {
    if (!figure.isConnected) {
      charts.delete(key);
      continue;
    }
    if (figure.matches(":hover")) continue; // not under the pointer
    const style = getComputedStyle(figure);
    const width = figure.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    if (width < 50) continue;
    const [names, follow] = legend(panel);
    const caption = panel.title ? [make("figcaption", {}, make("small", {}, panel.group), panel.title)] : [];
    figure.replaceChildren(...caption, names, plot(panel, width, follow));
  }
}

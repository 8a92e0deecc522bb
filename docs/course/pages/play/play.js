// The page: a game that plays, what is seen of it, and what is wrong with it.

import { byId, count, make, setText } from "../_static/dom.js";
import { Diagnosis } from "./diagnosis.js";
import { DATA, DEFAULTS, Game, LOSSES, NEAR } from "./game.js";
import { ACTIVATIONS } from "./network.js";
import { PLAYS } from "./plays.js";

const EXTENT = 1.6; // half the side of the square that is drawn
const CELLS = 40; // of the surface, a side
const ARROWS = 60;
const KEPT = 600; // steps whose losses are drawn
const FRAME = 12; // milliseconds of training a frame
const RATES = [1e-5, 3e-5, 1e-4, 3e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 5e-2];
const CHOICES = {
  data: ["Data", Object.keys(DATA)],
  loss: ["Loss", Object.keys(LOSSES)],
  activation: ["Activation", Object.keys(ACTIVATIONS).filter((name) => name !== "linear")],
  generatorRate: ["Rate of G", RATES],
  discriminatorRate: ["Rate of D", RATES],
  discriminatorSteps: ["Steps of D for one of G", [1, 2, 5]],
  seed: ["Seed", [1, 2, 3, 4, 5]],
};

let game;
let diagnosis;
let losses;
let latest;
let running = false;

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name);

function begin(settings, play) {
  game = new Game(settings);
  diagnosis = new Diagnosis(game.settings);
  losses = [];
  latest = null;
  const chosen = play ?? nameOf(game.settings);
  for (const button of byId("plays").children) {
    button.setAttribute("aria-pressed", String(button.value === chosen));
  }
  setText(byId("claim"), PLAYS[chosen]?.claim ?? "A game of your own.");
  for (const key of Object.keys(CHOICES)) byId(key).value = String(game.settings[key]);
  draw();
}

const nameOf = (settings) =>
  Object.keys(PLAYS).find((name) => {
    const wanted = { ...DEFAULTS, ...PLAYS[name].settings, seed: settings.seed };
    return Object.keys(wanted).every((key) => wanted[key] === settings[key]);
  });

function train() {
  latest = game.step();
  diagnosis.add(latest);
  losses.push([latest.d_loss, latest.g_loss]);
  if (losses.length > KEPT) losses.shift();
}

function setRunning(wanted) {
  running = wanted;
  setText(byId("run"), running ? "Pause" : "Play");
  setText(byId("running"), running ? "Playing" : "Paused");
  if (running) requestAnimationFrame(frame);
}

function frame() {
  if (!running) return;
  const end = performance.now() + FRAME;
  do train();
  while (performance.now() < end);
  draw();
  requestAnimationFrame(frame);
}

const place = (value, side) => ((value / EXTENT + 1) / 2) * side;

function drawPlane(fakes) {
  const canvas = byId("plane");
  const context = canvas.getContext("2d");
  const side = canvas.width;
  context.clearRect(0, 0, side, side);
  const points = new Float64Array(2 * CELLS * CELLS);
  for (let row = 0; row < CELLS; row++) {
    for (let column = 0; column < CELLS; column++) {
      points[2 * (row * CELLS + column)] = EXTENT * ((2 * (column + 0.5)) / CELLS - 1);
      points[2 * (row * CELLS + column) + 1] = EXTENT * (1 - (2 * (row + 0.5)) / CELLS);
    }
  }
  const blue = [1, 3, 5].map((start) => parseInt(color("--curve-0").trim().slice(start, start + 2), 16));
  const image = new ImageData(CELLS, CELLS);
  game.belief(points, CELLS * CELLS).forEach((belief, index) => {
    image.data.set([...blue, 190 * belief], 4 * index);
  });
  const surface = new OffscreenCanvas(CELLS, CELLS);
  surface.getContext("2d").putImageData(image, 0, 0);
  context.drawImage(surface, 0, 0, side, side);
  const dots = (values, fill, radius) => {
    context.fillStyle = fill;
    for (let row = 0; row < values.length / 2; row++) {
      context.beginPath();
      context.arc(place(values[2 * row], side), side - place(values[2 * row + 1], side), radius, 0, 7);
      context.fill();
    }
  };
  for (const [x, y] of game.centers) {
    context.strokeStyle = color("--curve-2");
    context.lineWidth = 2;
    context.beginPath();
    context.arc(place(x, side), side - place(y, side), (NEAR * side) / (2 * EXTENT), 0, 7);
    context.stroke();
  }
  dots(fakes, color("--curve-3"), 2.5);
  if (byId("arrows").checked) drawArrows(context, fakes, side);
}

// Where a step against the loss's gradient would move some fakes.
function drawArrows(context, fakes, side) {
  const pulls = game.pulls(fakes);
  const largest = Math.max(1e-12, ...pulls.slice(0, 2 * ARROWS).map(Math.abs));
  context.strokeStyle = color("--curve-1");
  context.lineWidth = 1.2;
  for (let row = 0; row < ARROWS; row++) {
    const x = place(fakes[2 * row], side);
    const y = side - place(fakes[2 * row + 1], side);
    context.beginPath();
    context.moveTo(x, y);
    context.lineTo(x + (28 * pulls[2 * row]) / largest, y - (28 * pulls[2 * row + 1]) / largest);
    context.stroke();
  }
}

function drawCurves() {
  const canvas = byId("curves");
  const context = canvas.getContext("2d");
  const { width, height } = canvas;
  context.clearRect(0, 0, width, height);
  const values = losses.flat();
  const low = Math.min(0, ...values);
  const high = Math.max(1.5, ...values);
  ["--curve-0", "--curve-1"].forEach((name, curve) => {
    context.strokeStyle = color(name);
    context.lineWidth = 2;
    context.beginPath();
    losses.forEach((pair, index) => {
      const y = height - 6 - ((pair[curve] - low) / (high - low)) * (height - 12);
      context.lineTo((index / (KEPT - 1)) * width, y);
    });
    context.stroke();
  });
}

function draw() {
  const fakes = game.samples();
  const scores = game.scores(fakes);
  drawPlane(fakes);
  drawCurves();
  const facts = {
    Step: count.format(game.steps),
    Modes: `${scores.modes_hit} of ${scores.counts.length}`,
    "Near a mode": `${(100 * scores.high_quality_share).toFixed(0)} %`,
    "D(x)": latest ? latest.d_real.toFixed(2) : "–",
    "D(G(z))": latest ? latest.d_fake.toFixed(2) : "–",
    "Slope for G": latest ? latest.g_logit_gradient.toFixed(3) : "–",
  };
  byId("numbers").replaceChildren(
    ...Object.entries(facts).map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value))),
  );
  showFindings(diagnosis.findings(scores), scores);
}

// Rewritten only when the findings change, so that a screen reader is not flooded.
function showFindings(findings, scores) {
  const panel = byId("findings");
  const key = findings === null ? "early" : findings.map(({ name }) => name).join() || "none";
  if (panel.dataset.key !== key) {
    panel.dataset.key = key;
    const boxes = (findings ?? []).map(({ title, remedy }) =>
      make("div", { class: "finding" }, make("strong", {}, title), make("span", {}), make("div", {}, remedy)),
    );
    if (key === "early") boxes.push(make("p", { class: "dim" }, "From step 200 on."));
    if (key === "none") boxes.push(make("div", { class: "finding well" }, "Nothing is wrong."));
    panel.replaceChildren(...boxes);
  }
  (findings ?? []).forEach(({ evidence }, index) => {
    const sentence = panel.children[index].querySelector("span");
    sentence.setAttribute("aria-live", "off");
    setText(sentence, `${evidence[0].toUpperCase()}${evidence.slice(1)}.`);
  });
  const modes = `${scores.modes_hit} of ${scores.counts.length} modes`;
  byId("plane").setAttribute("aria-label", `Step ${game.steps}: fakes at ${modes}`);
}

for (const [name, { title }] of Object.entries(PLAYS)) {
  const button = make("button", { value: name, "aria-pressed": "false" }, title);
  button.addEventListener("click", () => {
    begin({ ...PLAYS[name].settings, seed: game.settings.seed }, name);
    setRunning(true);
  });
  byId("plays").append(button);
}
for (const [key, [title, values]] of Object.entries(CHOICES)) {
  const options = values.map((value) => make("option", { value: String(value) }, String(value).replaceAll("_", " ")));
  const select = make("select", { id: key }, ...options);
  select.addEventListener("change", () => {
    const value = typeof values[0] === "number" ? Number(select.value) : select.value;
    begin({ ...game.settings, [key]: value });
  });
  byId("settings").append(make("label", {}, title, select));
}
byId("run").addEventListener("click", () => setRunning(!running));
byId("once").addEventListener("click", () => {
  setRunning(false);
  train();
  draw();
});
byId("again").addEventListener("click", () => begin(game.settings));
byId("arrows").addEventListener("change", draw);
byId("settings").addEventListener("submit", (event) => event.preventDefault());
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
begin({}, "balanced");
document.body.dataset.state = "ready";

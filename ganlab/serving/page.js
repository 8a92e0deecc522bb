// The page of samples: what is chosen stands in the address, so that a link shows it.

import { byId, count, make, setText, showText } from "./dom.js";
import { countOf, Grid, isPictorial } from "./grid.js";
import { Picture } from "./picture.js";
import { drawFile, drawPictures, listModels, loadCard, watch } from "./source.js";
import { Lost, newest, Refused, save } from "./tasks.js";

const STATES = { loading: "loading", ready: "ready", drawing: "drawing", busy: "busy, trying again", lost: "connection lost" };
const TYPES = { png: "image/png", zip: "application/zip", npy: "application/octet-stream", npz: "application/zip" };
const UNCUT = 2; // the slider's end, where nothing is cut

let models = [];
let grids = [];
let chosen = {};

// What is chosen

function readAddress() {
  const address = new URLSearchParams(location.search);
  const ignored = [];
  const take = (name, fallback, read) => {
    const text = address.get(name);
    const value = text === null ? fallback : read(text);
    if (value === undefined) ignored.push(`${name}=${text}`);
    return value === undefined ? fallback : value;
  };
  const known = (name) => models.find((model) => model.name === name);
  const model = take("model", models[0], known);
  const truncation = (text) => (Number(text) > 0 && Number(text) <= UNCUT ? Number(text) : undefined);
  chosen = {
    model,
    beside: take("beside", null, (name) => (name === model.name ? undefined : known(name))),
    label: take("class", null, (name) => (model.class_names.includes(name) ? name : undefined)),
    seed: take("seed", 0, readSeed),
    truncation: take("truncation", null, truncation),
  };
  tell(ignored.length ? `Expected an address of a model, class, seed and truncation. Received: ${ignored.join(", ")}; left out` : "");
}

function readSeed(text) {
  const seed = Number(text);
  return /^[0-9]+$/.test(text) && Number.isSafeInteger(seed) ? seed : undefined;
}

function writeAddress() {
  const { model, beside, label, seed, truncation } = chosen;
  const address = new URLSearchParams({ model: model.name, seed });
  if (label !== null) address.set("class", label);
  if (truncation !== null) address.set("truncation", truncation);
  if (beside !== null) address.set("beside", beside.name);
  if (`?${address}` !== location.search) history.pushState(null, "", `?${address}`);
}

const labelFor = (model) => (model.class_names.includes(chosen.label) ? chosen.label : null);
const classOf = (model, number) => labelFor(model) ?? (model.class_names[number % model.class_names.length] || "");

function requestOf(model) {
  const request = { seed: chosen.seed };
  if (labelFor(model) !== null) request.label = labelFor(model);
  if (chosen.truncation !== null) request.truncation = chosen.truncation;
  return request;
}

// What is said

const tell = (text) => showText(byId("problem"), text);

function showState(state) {
  document.body.dataset.state = state;
  setText(byId("state-text"), STATES[state]);
  byId("lost").hidden = state !== "lost";
}

const onBusy = () => showState("busy");

async function attempt(task) {
  try {
    await task();
    if (document.body.dataset.state === "busy") showState("ready");
    return true;
  } catch (error) {
    if (error instanceof Lost) showState("lost");
    else if (error instanceof Refused) tell(error.message);
    else throw error;
    return false;
  }
}

// What is drawn

const picture = new Picture({
  requestOf,
  classOf,
  attempt,
  onBusy,
  onChange: () => grids.forEach((grid) => grid.mark(grid.model === picture.model ? picture.numbers : [])),
  onLeave: (model, number) => grids.find((grid) => grid.model === model).tiles[number].focus(),
});

function captionOf(model) {
  const name = labelFor(model) ?? (model.class_names.length ? "each class in turn" : "");
  const parts = [model.name, name, `seed ${chosen.seed}`, chosen.truncation === null ? "" : `truncation ${chosen.truncation}`];
  return parts.filter(Boolean).join(", ");
}

async function fill(grid) {
  const { model } = grid;
  const shape = isPictorial(model) ? "" : `: samples of shape ${model.image_shape.join(" x ")}, no pictures`;
  grid.title(captionOf(model) + shape, (number) => classOf(model, number));
  if (shape) return;
  const request = { ...requestOf(model), count: countOf(model) };
  grid.show(await drawPictures(model.name, request, onBusy));
  setText(byId("news"), `${count.format(request.count)} pictures: ${captionOf(model)}`);
}

const draw = newest(async () => {
  showState("drawing");
  const done = await attempt(async () => {
    for (const grid of grids) await fill(grid);
  });
  if (document.body.dataset.state !== "lost") showState("ready");
  if (!done) return;
  picture.onChange();
  picture.build();
  picture.draw();
});

async function download(model, format) {
  const request = { ...requestOf(model), count: countOf(model) };
  save(await drawFile(model.name, request, format, onBusy), `${model.name}-seed${chosen.seed}.${format}`, TYPES[format]);
}

async function cardOf({ name }) {
  const sections = await loadCard(name);
  const parts = sections.map(({ title, rows, note }) => {
    const values = rows.flatMap(([term, value]) => [make("dt", {}, term), make("dd", {}, value)]);
    const section = make("section", {}, make("h3", {}, title), make("dl", {}, ...values));
    if (note) section.append(make("p", { class: "dim" }, note));
    return section;
  });
  const card = make("details", { class: "card", open: "", "aria-label": `Card of ${name}` });
  card.append(make("summary", {}, make("h2", {}, `Card of ${name}`)));
  card.append(make("div", { class: "sections" }, ...parts));
  return card;
}

// Controls

function options(select, values, texts) {
  select.replaceChildren(...values.map((value, index) => make("option", { value }, texts[index])));
}

/** Builds the page for what is chosen. */
async function build() {
  const { model, beside } = chosen;
  const names = models.map(({ name }) => name);
  const others = names.filter((name) => name !== model.name);
  options(byId("model"), names, names);
  options(byId("beside"), ["", ...others], ["nothing", ...others]);
  options(byId("class"), ["", ...model.class_names.map((_, index) => index)], ["each in turn", ...model.class_names]);
  byId("model-label").hidden = byId("beside-label").hidden = models.length < 2;
  byId("class-label").hidden = !model.class_names.length;
  showControls();
  setText(byId("source"), model.name);
  document.title = `${model.name} · ganlab`;
  if (picture.model !== null && picture.model !== model && picture.model !== beside) picture.clear();
  const served = [model, beside].filter(Boolean);
  grids = served.map((one) => new Grid(one, (number) => picture.choose(one, number), (format) => attempt(() => download(one, format))));
  byId("picture").hidden = !served.some(isPictorial);
  byId("grids").replaceChildren(...grids.map((grid) => grid.figure));
  const built = grids;
  draw();
  await attempt(async () => {
    const cards = await Promise.all(served.map(cardOf));
    if (grids === built) byId("cards").replaceChildren(...cards);
  });
}

function showControls() {
  const { model, beside, label, seed, truncation } = chosen;
  byId("model").value = model.name;
  byId("beside").value = beside ? beside.name : "";
  byId("class").value = label === null ? "" : String(model.class_names.indexOf(label));
  byId("seed").value = seed;
  byId("truncation").value = truncation ?? UNCUT;
  const text = truncation === null ? "off" : String(truncation);
  setText(byId("truncation-text"), text);
  byId("truncation").setAttribute("aria-valuetext", text);
}

function change(values, rebuild = false) {
  Object.assign(chosen, values);
  tell("");
  writeAddress();
  showControls();
  if (rebuild) build();
  else draw();
}

const find = (name) => models.find((model) => model.name === name) ?? null;
const sliderValue = () => (Number(byId("truncation").value) === UNCUT ? null : Number(byId("truncation").value));

byId("controls").addEventListener("submit", (event) => event.preventDefault());
byId("model").addEventListener("change", ({ target }) => {
  const model = find(target.value);
  const kept = model.class_names.includes(chosen.label) ? chosen.label : null;
  change({ model, label: kept, beside: chosen.beside === model ? null : chosen.beside }, true);
});
byId("beside").addEventListener("change", ({ target }) => change({ beside: find(target.value) }, true));
byId("class").addEventListener("change", ({ target }) => {
  change({ label: target.value === "" ? null : chosen.model.class_names[Number(target.value)] });
});
byId("seed").addEventListener("change", ({ target }) => {
  const seed = readSeed(target.value);
  if (seed === undefined) {
    tell(`Expected a seed from 0 to ${count.format(Number.MAX_SAFE_INTEGER)}. Received: ${target.value || "nothing"}`);
    showControls();
  } else change({ seed });
});
byId("another").addEventListener("click", () => change({ seed: crypto.getRandomValues(new Uint32Array(1))[0] }));
byId("truncation").addEventListener("input", () => {
  chosen.truncation = sliderValue();
  showControls();
  draw();
});
byId("truncation").addEventListener("change", () => change({ truncation: sliderValue() }));

// The conversation with the source of samples

const begin = newest(async () => {
  const done = await attempt(async () => {
    models = await listModels();
  });
  if (!done) return;
  readAddress();
  if (picture.model !== null) picture.renew(find(picture.model.name));
  await build();
});

addEventListener("popstate", begin);
watch((answers) => {
  const lost = document.body.dataset.state === "lost";
  if (!answers) showState("lost");
  else if (lost) {
    setText(byId("news"), "The server answers again.");
    begin();
  }
});
begin();

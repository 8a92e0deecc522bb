// The chosen picture, moved along the generator's directions; or the way between two.

import { byId, make, setText, showText } from "./dom.js";
import { paint } from "./grid.js";
import { drawPictureFile, drawPictures } from "./source.js";
import { newest, save } from "./tasks.js";

const FRAMES = 8;
const STEP = 0.25;
const REACH = 0.75; // of a latent's usual length: how far a slider goes
const HINT_OF_ONE = "Choose a second picture to walk from this one to it.";
const HINT = "Choose a picture to move it along the generator’s directions; choose a second one to walk from one to the other.";

/** The panel of the chosen picture. */
export class Picture {
  /** `requestOf` gives what a model is asked for, `classOf` the class of a picture, `attempt` tells of failures. */
  constructor({ requestOf, classOf, attempt, onBusy, onChange, onLeave }) {
    Object.assign(this, { requestOf, classOf, onBusy, onChange });
    this.clear();
    this.draw = newest(() => attempt(() => this.fetch()));
    byId("position").addEventListener("input", ({ target }) => this.walkTo(Number(target.value) - 1));
    byId("jump").addEventListener("click", () => byId("picture").scrollIntoView());
    byId("reset").addEventListener("click", () => {
      this.shift.fill(0);
      this.build();
      this.draw();
    });
    byId("save").addEventListener("click", () => attempt(() => this.download()));
    byId("leave").addEventListener("click", () => {
      const { model, numbers } = this;
      this.clear();
      onChange();
      onLeave(model, numbers[0]);
    });
    byId("strip").addEventListener("click", ({ target }) => {
      const button = target.closest("button");
      if (button) this.walkTo([...byId("strip").children].indexOf(button));
    });
  }

  /** Chooses a picture of a model: the first one, the second one, or the first one anew. */
  choose(model, number) {
    if (this.model !== model || this.numbers.length === 2) this.numbers = [];
    if (this.model !== model) this.shift = new Array(model.directions).fill(0);
    this.model = model;
    this.numbers = this.numbers.includes(number) ? this.numbers.filter((other) => other !== number) : [...this.numbers, number];
    if (!this.numbers.length) this.clear();
    this.position = 0;
    this.build();
    this.onChange();
    setText(byId("news"), byId("picture-title").textContent);
    this.draw();
  }

  /** Goes on with a model's newer description, or forgets what is chosen. */
  renew(model) {
    if (model && model.directions === this.shift.length) this.model = model;
    else this.clear();
  }

  /** Forgets what is chosen. */
  clear() {
    this.model = null;
    this.numbers = [];
    this.shift = [];
    this.position = 0;
    this.pictures = [];
    this.build();
  }

  get request() {
    const [first, last] = this.numbers;
    const request = { ...this.requestOf(this.model), first, count: last === undefined ? 1 : FRAMES };
    if (last !== undefined) request.last = last;
    if (this.shift.some(Boolean)) request.shift = this.shift;
    return request;
  }

  /** Builds what the choice needs. */
  build() {
    const { model, numbers } = this;
    byId("chosen").hidden = byId("jump").hidden = !numbers.length;
    if (!numbers.length) {
      setText(byId("picture-title"), "Picture");
      showText(byId("hint"), HINT);
      return;
    }
    const [first, last] = numbers.map((number) => number + 1);
    const [name, lastName] = numbers.map((number) => this.classOf(model, number));
    const title = last === undefined ? `Picture ${first}` : `From picture ${first} to ${last}`;
    setText(byId("picture-title"), `${title}${name ? `, ${name}` : ""}`);
    const mixed = lastName === name ? "" : `Every step is drawn as ${name}, the first picture’s class.`;
    showText(byId("hint"), last === undefined ? HINT_OF_ONE : mixed);
    byId("walk").hidden = numbers.length < 2;
    byId("directions").hidden = !model.directions;
    const reach = Math.max(1, Math.ceil(REACH * Math.sqrt(model.latent_dim)));
    byId("sliders").replaceChildren(...this.shift.map((value, index) => this.slider(index, value, reach)));
  }

  slider(index, value, reach) {
    const input = make("input", { type: "range", min: -reach, max: reach, step: STEP, "data-direction": index });
    const output = make("output");
    input.value = value;
    const say = () => {
      const text = Number(input.value).toFixed(1);
      setText(output, text);
      input.setAttribute("aria-valuetext", text);
    };
    say();
    input.addEventListener("input", () => {
      this.shift[index] = Number(input.value);
      say();
      this.draw();
    });
    return make("label", {}, make("span", {}, `Direction ${index + 1}`), input, output);
  }

  async fetch() {
    if (!this.numbers.length) return;
    const pictures = await drawPictures(this.model.name, this.request, this.onBusy);
    if (!this.numbers.length) return;
    this.pictures = pictures;
    const strip = byId("strip");
    while (strip.children.length > pictures.length) strip.lastChild.remove();
    while (strip.children.length < pictures.length) {
      const text = `Position ${strip.children.length + 1}`;
      strip.append(make("button", { type: "button", "aria-label": text }, make("canvas")));
    }
    pictures.forEach((picture, index) => paint(strip.children[index].firstChild, picture));
    this.walkTo(Math.min(this.position, pictures.length - 1));
  }

  /** Shows one of the pictures between both. */
  walkTo(position) {
    if (!this.pictures[position]) return;
    this.position = position;
    paint(byId("large"), this.pictures[position]);
    const title = byId("picture-title").textContent;
    const walking = this.pictures.length > 1;
    byId("large").setAttribute("aria-label", walking ? `${title}: position ${position + 1} of ${FRAMES}` : title);
    byId("position").value = position + 1;
    byId("position").setAttribute("aria-valuetext", `${position + 1} of ${FRAMES}`);
    [...byId("strip").children].forEach((button, index) => button.setAttribute("aria-pressed", String(index === position)));
  }

  async download() {
    const { model, request, position } = this;
    const file = await drawPictureFile(model.name, request, position, this.onBusy);
    const number = request.count > 1 ? `${request.first + 1}-${request.last + 1}-${position + 1}` : request.first + 1;
    save(file, `${model.name}-seed${request.seed}-picture${number}.png`, "image/png");
  }
}

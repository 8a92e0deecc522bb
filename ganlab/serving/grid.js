// One model's samples: a grid of pictures, each of which can be chosen.

import { count, make, setText } from "./dom.js";

const MAX_COLUMNS = 12;
const ROWS = 4;
const SMOOTH_SIDE = 128; // pixels from which a picture is enlarged without its pixels

/** Columns of a grid: one a class where there are not too many. */
export function columnsOf(model) {
  const classes = model.class_names.length;
  return classes > 1 && classes <= MAX_COLUMNS ? Math.max(classes, 4) : 8;
}

export const countOf = (model) => Math.min(ROWS * columnsOf(model), model.max_images);
export const isPictorial = (model) => model.formats.includes("png");

/** Draws a picture on a canvas. */
export function paint(canvas, picture) {
  canvas.width = picture.width;
  canvas.height = picture.height;
  canvas.classList.toggle("smooth", Math.max(picture.width, picture.height) >= SMOOTH_SIDE);
  canvas.getContext("2d").putImageData(picture, 0, 0);
}

/** A grid of a model's samples. */
export class Grid {
  /** `onChoose` is called with a picture's number, `onSave` with a format. */
  constructor(model, onChoose, onSave) {
    this.model = model;
    this.tiles = [];
    this.caption = make("figcaption");
    this.box = make("div", { class: "tiles", role: "group" });
    this.formats = isPictorial(model) ? [["png", "Download grid"], ["zip", "Download all"]] : [[model.formats[0], "Download array"]];
    const buttons = this.formats.map(([format, text]) => {
      const button = make("button", { type: "button", "data-format": format }, text);
      button.addEventListener("click", () => onSave(format));
      return button;
    });
    this.figure = make("figure", { class: "samples", "data-model": model.name }, this.caption, this.box, make("p", { class: "actions" }, ...buttons));
    if (model.attribution) this.figure.append(make("p", { class: "dim" }, model.attribution));
    const columns = columnsOf(model);
    this.box.style.setProperty("--columns", columns);
    this.box.style.setProperty("--few-columns", columns % 2 ? Math.ceil(columns / 2) : Math.max(columns / 2, 4));
    this.box.addEventListener("keydown", (event) => this.move(event));
    this.box.addEventListener("click", ({ target }) => {
      const tile = target.closest("button");
      if (tile) onChoose(this.tiles.indexOf(tile));
    });
  }

  /** Says what the pictures are, and of which class each is. */
  title(text, classOf) {
    setText(this.caption, text);
    this.box.setAttribute("aria-label", text);
    this.classOf = classOf;
  }

  /** Shows pictures. */
  show(pictures) {
    while (this.tiles.length > pictures.length) this.tiles.pop().remove();
    while (this.tiles.length < pictures.length) {
      const tile = make("button", { type: "button", "aria-pressed": "false", tabindex: this.tiles.length ? "-1" : "0" }, make("canvas"));
      this.tiles.push(tile);
      this.box.append(tile);
    }
    pictures.forEach((picture, index) => {
      const tile = this.tiles[index];
      const name = this.classOf(index);
      paint(tile.firstChild, picture);
      tile.setAttribute("aria-label", `Picture ${count.format(index + 1)}${name ? `, ${name}` : ""}`);
      tile.title = name;
    });
  }

  /** Marks the pictures that are chosen, in their order. */
  mark(numbers) {
    this.tiles.forEach((tile, index) => {
      const place = numbers.indexOf(index);
      tile.setAttribute("aria-pressed", String(place >= 0));
      if (place >= 0) tile.dataset.place = place + 1;
      else delete tile.dataset.place;
    });
  }

  /** Moves the focus by the arrow keys, of which the tab key sees one picture alone. */
  move(event) {
    const from = this.tiles.indexOf(event.target);
    const columns = getComputedStyle(this.box).gridTemplateColumns.split(" ").length;
    const last = this.tiles.length - 1;
    const to = { ArrowLeft: from - 1, ArrowRight: from + 1, ArrowUp: from - columns, ArrowDown: from + columns, Home: 0, End: last }[event.key];
    if (from < 0 || to === undefined) return;
    event.preventDefault();
    if (to < 0 || to > last) return;
    this.tiles[from].tabIndex = -1;
    this.tiles[to].tabIndex = 0;
    this.tiles[to].focus();
  }
}

export const byId = (id) => document.getElementById(id);
export const count = new Intl.NumberFormat("en-US");

export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  return fill(element, attributes, children);
}

export function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function showText(element, text) {
  setText(element, text || "");
  element.hidden = !text;
}

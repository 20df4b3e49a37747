// Elements, and how numbers and times are spelled.

const SVG = "http://www.w3.org/2000/svg";

/** Makes an element. Properties that begin with "on" are listeners; `null` and `false` are left out. */
export function h(tag, properties, ...children) {
  return fill(document.createElement(tag), properties, children);
}

/** Makes an element of a picture. */
export function s(tag, properties, ...children) {
  return fill(document.createElementNS(SVG, tag), properties, children);
}

function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value") element.value = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export function byId(id) {
  return document.getElementById(id);
}

/** Shows what went wrong, until something else is said. */
export function say(text) {
  byId("said").textContent = text;
  byId("said").hidden = !text;
}

/** Has a listener say what goes wrong in it. */
export function tell(work) {
  return async (...given) => {
    try {
      say("");
      await work(...given);
    } catch (error) {
      say(error.message);
    }
  };
}

export function bytes(size) {
  let amount = size;
  for (const unit of ["B", "kB", "MB", "GB"]) {
    if (Math.abs(amount) < 1000 || unit === "GB") {
      return unit === "B" ? `${amount} B` : `${amount.toFixed(1)} ${unit}`;
    }
    amount /= 1000;
  }
}

export function seconds(amount) {
  if (amount === null || amount === undefined) return "";
  if (amount < 0.001) return `${(amount * 1e6).toFixed(0)} µs`;
  if (amount < 1) return `${(amount * 1000).toFixed(amount < 0.01 ? 1 : 0)} ms`;
  return amount < 120 ? `${amount.toFixed(amount < 10 ? 2 : 1)} s` : `${(amount / 60).toFixed(0)} min`;
}

/** Spells a time, in seconds since 1970: the day only if it is another one. */
export function when(time) {
  if (time === null || time === undefined) return "";
  const date = new Date(time * 1000);
  const clock = date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  const isToday = date.toDateString() === new Date().toDateString();
  return isToday ? clock : `${date.toLocaleDateString([], { day: "numeric", month: "short", year: "numeric" })}, ${clock}`;
}

export function plural(count, what) {
  return `${count.toLocaleString("en")} ${what}${count === 1 ? "" : "s"}`;
}

/** Calls a function once things have been quiet for a moment. */
export function settled(work, pause) {
  let timer = 0;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => work(...given), pause);
  };
}

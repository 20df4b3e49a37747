// A value as a tree, of which only what is open was loaded.

import { h, say, plural } from "./dom.js";
import { ask, isFile } from "./source.js";

const LIMIT = 100;
let made = 0;
const TEXT = 4000;

/** Returns a tree. `roots` are `{label, node, from, extra}`: `from` is what to ask for more of it. */
export function tree(label, roots) {
  const whole = h("div", { role: "tree", "aria-label": label, class: "tree", onkeydown: move });
  whole.append(...roots.map((root) => item(root, 1)));
  const first = whole.querySelector("[role=treeitem]");
  if (first) first.tabIndex = 0;
  return whole;
}

function item({ label, node, from, extra, open }, level) {
  const isBranch = node && (node.kind === "list" || node.kind === "map") && node.count > 0;
  const group = isBranch && h("div", { role: "group", hidden: true });
  const id = `row-${++made}`;
  const row = h(
    "div",
    { class: "row", id },
    h("span", { class: "twist", "aria-hidden": "true" }),
    h("span", { class: "key" }, String(label)),
    node ? brief(node, from) : null,
    extra,
  );
  row.style.paddingInlineStart = `${(level - 1) * 1.1}rem`;
  // Its name is its own line, not those of what it holds as well.
  const whole = h(
    "div",
    { role: "treeitem", tabindex: "-1", "aria-level": level, "aria-expanded": isBranch ? "false" : null, "aria-labelledby": id },
    row,
    group,
  );
  if (!isBranch) return whole;
  let isLoaded = false;
  const toggle = async (isOpen = group.hidden) => {
    group.hidden = !isOpen;
    whole.setAttribute("aria-expanded", String(isOpen));
    if (!isOpen || isLoaded) return;
    isLoaded = true;
    try {
      // The first items are often here already.
      const found = node.items?.length === node.count ? node : await ask("value", { ...from, limit: LIMIT, depth: 2, text: TEXT });
      append(group, found, from, level);
    } catch (error) {
      isLoaded = false;
      say(error.message);
    }
  };
  whole.toggle = toggle;
  row.addEventListener("click", (event) => {
    if (event.target.closest("button, input, a")) return;
    focusOn(whole);
    toggle();
  });
  if (open) toggle(true);
  return whole;
}

function append(group, whole, from, level) {
  for (const [key, node] of whole.items) {
    group.append(item({ label: key, node, from: { ...from, pointer: `${from.pointer ?? ""}/${escaped(key)}` } }, level + 1));
  }
  const end = whole.offset + whole.items.length;
  if (end >= whole.count) return;
  if (whole.held !== undefined && end >= whole.held) {
    group.append(h("p", { class: "note" }, `${plural(whole.count - end, "item")} more are not in the file`));
    return;
  }
  const more = async (offset) => {
    try {
      const next = await ask("value", { ...from, offset, limit: LIMIT, depth: 2, text: TEXT });
      control.remove();
      append(group, next, from, level);
    } catch (error) {
      say(error.message);
    }
  };
  const at = h("input", { type: "number", min: 0, max: whole.count - 1, value: end, "aria-label": "Item to go to" });
  const control = h(
    "div",
    { class: "more" },
    h("button", { type: "button", onclick: () => more(end) }, `next ${Math.min(LIMIT, whole.count - end)} of ${whole.count.toLocaleString("en")}`),
    whole.count - end > LIMIT && h("span", {}, "or from ", at, h("button", { type: "button", onclick: () => more(Number(at.value)) }, "go")),
  );
  control.style.marginInlineStart = `${level * 1.1 + 1.2}rem`;
  group.append(control);
}

export function escaped(key) {
  return String(key).replaceAll("~", "~0").replaceAll("/", "~1");
}

/** Returns the short form of a class's name; the whole is its title. */
export function typeName(type) {
  return h("span", { class: "type", title: type }, type.slice(type.lastIndexOf(".") + 1));
}

/** Returns a value on one line, or a text as a whole. */
export function brief(node, from) {
  const type = node.type ? typeName(node.type) : null;
  switch (node.kind) {
    case "text":
      return [type, text(node, from)];
    case "list":
    case "map":
      return [type, h("span", { class: "count" }, node.count ? `${node.kind === "list" ? "[" : "{"}${node.count.toLocaleString("en")}${node.kind === "list" ? "]" : "}"}` : node.kind === "list" ? "[ ]" : "{ }"), preview(node)];
    case "bytes":
      return [type, h("span", { class: "count" }, plural(node.length, "byte")), h("span", { class: "value bytes" }, node.text)];
    case "sealed":
      return h("span", { class: "sealed" }, `${node.text}${node.length ? ` (${plural(node.length, "byte")})` : ""}`);
    case "redacted":
      return h("span", { class: "redacted", "aria-label": "redacted" }, "█████");
    case "null":
      return [type, h("span", { class: "value null" }, "null")];
    default:
      return [type, h("span", { class: `value ${node.kind}` }, node.text)];
  }
}

function preview(node) {
  const said = node.items?.find(([key]) => key === "content" || key === "name" || key === "value")?.[1];
  if (said?.kind === "text" && said.text) return h("span", { class: "value dim" }, short(said.text));
  const simple = (node.items ?? []).filter(([, one]) => one.text && one.kind !== "bytes" && one.kind !== "sealed");
  if (!simple.length || simple.length < node.items.length) return null;
  const words = simple.map(([key, one]) => (node.kind === "map" ? `${key}: ${one.text}` : one.text));
  return h("span", { class: "value dim" }, short(words.join(", ")) + (node.count > words.length ? ", …" : ""));
}

function short(value) {
  return value.length > 90 ? `${value.slice(0, 90)}…` : value;
}

function text(node, from) {
  const body = h("span", { class: "value text" }, node.text);
  const left = () => node.length - node.offset - node.text.length;
  if (left() <= 0) return body;
  if (!from || isFile) return [body, h("span", { class: "count" }, `… ${plural(left(), "character")} more${isFile ? " are not in the file" : ""}`)];
  const more = h("button", {
    type: "button",
    class: "inline",
    onclick: async () => {
      try {
        node = await ask("value", { ...from, offset: node.offset + node.text.length, text: 20000 });
        body.append(node.text);
        if (left() > 0 && node.text) more.textContent = label();
        else more.remove();
      } catch (error) {
        say(error.message);
      }
    },
  });
  const label = () => `… ${plural(left(), "character")} more`;
  more.textContent = label();
  return [body, more];
}

// --- the keyboard ---

function focusOn(element) {
  const whole = element.closest("[role=tree]");
  for (const one of whole.querySelectorAll("[role=treeitem][tabindex='0']")) one.tabIndex = -1;
  element.tabIndex = 0;
  element.focus();
}

function move(event) {
  const here = event.target.closest("[role=treeitem]");
  if (!here || event.target !== here || event.ctrlKey || event.metaKey || event.altKey) return;
  const shown = [...here.closest("[role=tree]").querySelectorAll("[role=treeitem]")].filter((one) => !one.parentElement.closest("[hidden]"));
  const at = shown.indexOf(here);
  const isOpen = here.getAttribute("aria-expanded");
  const target = {
    ArrowDown: shown[at + 1],
    ArrowUp: shown[at - 1],
    Home: shown[0],
    End: shown.at(-1),
    ArrowRight: isOpen === "true" ? here.querySelector("[role=treeitem]") : null,
    ArrowLeft: isOpen === "true" ? null : here.parentElement.closest("[role=treeitem]"),
  }[event.key];
  if (event.key === "Enter" || event.key === " ") here.toggle?.();
  else if (event.key === "ArrowRight" && isOpen === "false") here.toggle(true);
  else if (event.key === "ArrowLeft" && isOpen === "true") here.toggle(false);
  else if (target) focusOn(target);
  else return;
  event.preventDefault();
  event.stopPropagation();
}

// A thread's checkpoints, newest first, with lines to their parents. Only rows in sight are elements.

import { h, s, tell, when, bytes, byId, plural } from "./dom.js";
import { ask } from "./source.js";

const HEIGHT = 46;
const LANE = 14;
const MARKS = { __error__: "failed", __interrupt__: "interrupted" };

let state = null;

/** Shows the checkpoints of a namespace. `open(id)` is called when one is chosen, `compare(id)` when
 * another is to be compared with one. */
export async function showHistory(thread, namespaces, namespace, handlers) {
  const body = h("div", { class: "rows" });
  const list = h(
    "div",
    { role: "tree", tabindex: "0", class: "list checkpoints", "aria-label": "Checkpoints, newest first", onkeydown: move, onscroll: tell(scrolled) },
    body,
  );
  const own = { thread, namespace, handlers, rows: [], lanes: [], next: null, chosen: null, base: null, list, body, isLoading: false };
  state = own;
  byId("history").replaceChildren(heading(own, namespaces), list);
  await more();
  return own.rows[0]?.id ?? null;
}

function heading({ namespace, handlers }, namespaces) {
  const picker = h(
    "select",
    { "aria-label": "Namespace", onchange: () => handlers.namespace(picker.value) },
    namespaces.map((one) => h("option", { value: one.namespace, selected: one.namespace === namespace }, `${one.namespace || "root"} (${one.checkpoints.toLocaleString("en")})`)),
  );
  const count = namespaces.find((one) => one.namespace === namespace)?.checkpoints ?? 0;
  return h("div", { class: "over" }, h("h2", {}, plural(count, "checkpoint")), namespaces.length > 1 ? picker : null);
}

/** Loads checkpoints that were stored since. Returns the newest if it is another one. */
export async function refreshHistory() {
  const own = state;
  if (!own) return null;
  const page = await ask("checkpoints", { thread: own.thread, namespace: own.namespace });
  const { namespaces } = await ask("thread", { thread: own.thread });
  if (own !== state) return null;
  const over = byId("history").querySelector(".over");
  // Whoever is choosing a namespace goes on choosing.
  if (!over.contains(document.activeElement)) over.replaceWith(heading(own, namespaces));
  const known = new Map(own.rows.map((row) => [row.id, row]));
  const fresh = page.checkpoints.filter((row) => !known.has(row.id));
  for (const row of page.checkpoints) {
    if (known.has(row.id)) Object.assign(known.get(row.id), row);
  }
  // More than a page is new: what lies between is not known, so it begins again.
  if (fresh.length === page.checkpoints.length && page.next) own.rows = [];
  own.rows = [...fresh, ...own.rows];
  if (!own.rows.length || fresh.length === own.rows.length) own.next = page.next;
  place(own);
  draw();
  return fresh[0]?.id ?? null;
}

/** Marks the checkpoint that is shown. */
export function markCheckpoint(id) {
  if (!state) return;
  state.chosen = id;
  const at = state.rows.findIndex((row) => row.id === id);
  if (at >= 0) {
    const top = at * HEIGHT, list = state.list;
    if (top < list.scrollTop) list.scrollTop = top;
    else if (top + HEIGHT > list.scrollTop + list.clientHeight) list.scrollTop = top + HEIGHT - list.clientHeight;
  }
  draw();
}

/** Marks the checkpoint that others are compared with. */
export function markBase(id) {
  if (!state) return;
  state.base = id;
  draw();
}

/** Returns the newest checkpoint of those that are listed. */
export function newestId() {
  return state?.rows[0]?.id ?? null;
}

/** Returns how a checkpoint is called in a sentence. */
export function nameOf(id) {
  const row = state?.rows.find((one) => one.id === id);
  return row ? `step ${row.step ?? "?"}, ${when(row.ts)}` : id;
}

async function more() {
  const own = state;
  own.isLoading = true;
  try {
    const page = await ask("checkpoints", { thread: own.thread, namespace: own.namespace, before: own.next });
    own.rows.push(...page.checkpoints);
    own.next = page.next;
    own.isCut = page.is_cut;
  } finally {
    own.isLoading = false;
  }
  if (own !== state) return;
  place(own);
  draw();
}

async function scrolled() {
  draw();
  const { list, next, isLoading } = state;
  if (next && !isLoading && list.scrollTop + list.clientHeight > list.scrollHeight - 1000) await more();
}

/** Finds out in which lane each checkpoint is: one for each branch that is not at its root yet. */
function place(own) {
  let lanes = [];
  own.lanes = own.rows.map((row) => {
    const before = [...lanes];
    let lane = lanes.indexOf(row.id);
    if (lane < 0) lane = lanes.indexOf(null);
    if (lane < 0) lane = lanes.length;
    lanes = lanes.map((wanted) => (wanted === row.id ? null : wanted));
    lanes[lane] = row.parent ?? null;
    while (lanes.length && lanes.at(-1) === null) lanes.pop();
    return { lane, before, after: [...lanes], children: before.filter((wanted) => wanted === row.id).length };
  });
  own.width = Math.max(1, ...own.lanes.map(({ before, after }) => Math.max(before.length, after.length)));
}

function draw() {
  const { list, body, rows } = state;
  body.style.height = `${rows.length * HEIGHT}px`;
  const first = Math.max(0, Math.floor(list.scrollTop / HEIGHT) - 10);
  const last = Math.min(rows.length, Math.ceil((list.scrollTop + (list.clientHeight || 800)) / HEIGHT) + 10);
  body.replaceChildren(...Array.from({ length: last - first }, (_, index) => row(first + index)));
  if (state.isCut) {
    const note = h("p", { class: "note cut" }, "Older checkpoints are not in the file.");
    note.style.insetBlockStart = `${rows.length * HEIGHT}px`;
    body.append(note);
  }
  if (state.chosen) list.setAttribute("aria-activedescendant", `checkpoint-${state.chosen}`);
}

function row(index) {
  const { rows, lanes, handlers, chosen, base } = state;
  const one = rows[index];
  const marks = one.marks.map((mark) => MARKS[mark]).filter(Boolean);
  const made = h(
    "div",
    {
      role: "treeitem",
      id: `checkpoint-${one.id}`,
      class: `checkpoint ${one.id === base ? "base" : ""}`,
      "aria-selected": String(one.id === chosen),
      "aria-level": lanes[index].lane + 1,
      "aria-posinset": index + 1,
      "aria-setsize": state.next ? -1 : rows.length,
      title: one.id,
      onclick: (event) => (event.shiftKey ? handlers.compare(one.id) : handlers.open(one.id)),
    },
    picture(index),
    h(
      "span",
      { class: "words" },
      h(
        "span",
        { class: "what" },
        h("b", {}, one.step === null ? "?" : `step ${one.step}`),
        one.source && one.source !== "loop" ? h("span", { class: `badge ${one.source}` }, one.source) : null,
        marks.map((mark) => h("span", { class: `badge ${mark}` }, mark)),
        lanes[index].children > 1 ? h("span", { class: "badge forked" }, `${lanes[index].children} branches`) : null,
        one.id === base ? h("span", { class: "badge" }, "compared") : null,
      ),
      h("span", { class: "about" }, `${when(one.ts)} · ${bytes(one.size)}`),
    ),
  );
  made.style.top = `${index * HEIGHT}px`;
  return made;
}

function picture(index) {
  const { lane, before, after } = state.lanes[index];
  const one = state.rows[index];
  const middle = HEIGHT / 2;
  const at = (number) => number * LANE + 10;
  const lines = [];
  before.forEach((wanted, number) => {
    if (wanted === null) return;
    if (wanted === one.id) lines.push([number, curve(at(number), 0, at(lane), middle)]);
    else lines.push([number, `M${at(number)} 0V${HEIGHT}`]);
  });
  if (after[lane] && one.parent) lines.push([lane, `M${at(lane)} ${middle}V${HEIGHT}`]);
  return s(
    "svg",
    { class: "lanes", width: Math.min(state.width, 8) * LANE + 12, height: HEIGHT, "aria-hidden": "true" },
    lines.map(([number, path]) => s("path", { d: path, class: `lane lane-${number % 6}` })),
    s("circle", { cx: at(lane), cy: middle, r: 4.5, class: `dot lane-${lane % 6} ${one.marks.includes("__error__") ? "failed" : one.marks.includes("__interrupt__") ? "interrupted" : ""}` }),
  );
}

function curve(x1, y1, x2, y2) {
  return x1 === x2 ? `M${x1} ${y1}V${y2}` : `M${x1} ${y1}C${x1} ${y2} ${x2} ${(y1 + y2) / 2} ${x2} ${y2}`;
}

function move(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const { rows, chosen, handlers } = state;
  const at = rows.findIndex((one) => one.id === chosen);
  const one = rows[at];
  const page = Math.max(1, Math.floor(state.list.clientHeight / HEIGHT) - 1);
  const to = {
    ArrowDown: () => rows[at + 1],
    ArrowUp: () => rows[at - 1],
    Home: () => rows[0],
    End: () => rows.at(-1),
    PageDown: () => rows[Math.min(at + page, rows.length - 1)],
    PageUp: () => rows[Math.max(at - page, 0)],
    ArrowLeft: () => rows.find((other) => other.id === one?.parent),
    ArrowRight: () => rows.find((other) => other.parent === one?.id),
  }[event.key]?.();
  if (event.key === "Enter") byId("detail").querySelector("[role=tab][aria-selected=true]")?.focus();
  else if (event.key === "c" && chosen) handlers.compare(chosen);
  else if (to) handlers.open(to.id);
  else return;
  event.preventDefault();
}

// The list of threads, and the search in it.

import { h, tell, settled, when, plural, byId } from "./dom.js";
import { ask, isFile } from "./source.js";

let rows = [];
let next = null;
let sought = "";
let isLoading = false;
let chosen = null;
let list = null;
let choose = null;

/** Sets up the pane; `open(thread)` is called when one is chosen. */
export function setUpThreads(open) {
  choose = open;
  const input = h("input", {
    type: "search",
    id: "search",
    placeholder: "Search threads",
    "aria-label": "Search threads: a part of an id, key=value of the metadata, is:failed, is:interrupted",
    autocomplete: "off",
    spellcheck: "false",
    oninput: settled(tell(async () => {
      sought = input.value.trim();
      await loadThreads(true);
    }), 200),
    onkeydown: (event) => {
      if (event.key !== "ArrowDown" && event.key !== "Enter") return;
      if (event.key === "Enter" && rows.length) choose(rows[0].id);
      list.focus();
      event.preventDefault();
    },
  });
  list = h("div", { role: "listbox", "aria-label": "Threads", tabindex: "0", class: "list", onkeydown: move, onscroll: tell(nearEnd) });
  byId("threads").replaceChildren(isFile ? h("h2", {}, "Thread") : h("div", { class: "search" }, input, h("p", { class: "about" }, "id · key=value · is:failed · is:interrupted")), list);
}

/** Loads the first page, or the first again. */
export async function loadThreads(isNew) {
  const from = isNew || !next ? {} : { newest: next[0], last: next[1] };
  isLoading = true;
  const asked = sought;
  try {
    const found = await ask("threads", { q: sought, ...from });
    if (asked !== sought) return;
    rows = isNew ? found.threads : [...rows, ...found.threads];
    next = found.next;
  } finally {
    isLoading = false;
  }
  show();
}

/** Puts threads that were gone on with to the top; whoever has scrolled keeps what was loaded. */
export async function refreshThreads() {
  const asked = sought;
  const found = await ask("threads", { q: sought });
  if (asked !== sought || isLoading) return;
  if (found.next && rows.length > found.threads.length) {
    const fresh = new Set(found.threads.map((row) => row.id));
    rows = [...found.threads, ...rows.filter((row) => !fresh.has(row.id))];
  } else {
    rows = found.threads;
    next = found.next;
  }
  show();
}

/** Marks a thread as the one that is shown. */
export function markThread(thread) {
  chosen = thread;
  show();
}

function show() {
  list.replaceChildren(
    ...rows.map((row, index) => {
      const isChosen = row.id === chosen;
      return h(
        "div",
        { role: "option", id: `thread-${index}`, class: "thread", "aria-selected": String(isChosen), onclick: () => choose(row.id) },
        h("span", { class: "id" }, row.id),
        h("span", { class: "about" }, `${when(row.ts)} · ${plural(row.checkpoints, "checkpoint")}`),
      );
    }),
    ...(next ? [h("button", { type: "button", class: "earlier", onclick: tell(() => loadThreads(false)) }, rows.length ? "more threads" : "search on")] : []),
    ...(!rows.length && !next ? [h("p", { class: "note" }, sought ? "No thread is like that." : "There are no threads yet.")] : []),
  );
  const at = rows.findIndex((row) => row.id === chosen);
  if (at >= 0) list.setAttribute("aria-activedescendant", `thread-${at}`);
  else list.removeAttribute("aria-activedescendant");
}

async function nearEnd() {
  if (next && !isLoading && list.scrollTop + list.clientHeight > list.scrollHeight - 300) await loadThreads(false);
}

function move(event) {
  const at = rows.findIndex((row) => row.id === chosen);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
  if (event.key === "Enter") byId("history").querySelector("[role=tree]")?.focus();
  else if (to !== undefined && rows[to]) {
    choose(rows[to].id);
    byId(`thread-${to}`)?.scrollIntoView({ block: "nearest" });
  } else return;
  event.preventDefault();
}

// Runs: which there are, and what one does while it does it, below the checkpoint.

import { byId, h, seconds, tell } from "./dom.js";
import { act, ask } from "./source.js";
import { whole } from "./changes.js";

/** Of those that are over. */
const SHOWN = 6;
const KEPT = 2000;

let page = null;
let followed = null;
const closed = new Set();

/** Has runs shown. `given` has `write`, whether they may be stopped, `open(thread)`, and `changed`, called when one is over. */
export function setUpRuns(given) {
  page = given;
}

/** Looks which runs there are; one of the thread that is shown is followed if nothing else is. */
export async function refreshRuns(thread) {
  if (!page) return;
  const { runs } = await ask("runs");
  const shown = [...runs.filter(goesOn), ...runs.filter((run) => !goesOn(run)).slice(0, SHOWN)];
  byId("runs").hidden = !shown.length;
  byId("runs").replaceChildren(
    h("h2", {}, "Runs"),
    h("ul", {}, shown.map((run) => h("li", {}, entry(run)))),
  );
  const own = runs.find((run) => run.thread === thread && goesOn(run) && !closed.has(run.id));
  if (own && !followed?.goesOn) follow(own);
}

/** Follows a run that has just begun. */
export function followNew(id, thread, by = "this page") {
  follow({ id, thread, by, status: "running" });
}

function goesOn(run) {
  return run.status === "running" || run.status === "pending";
}

function entry(run) {
  const look = () => {
    closed.delete(run.id);
    follow(run);
    // A thread that cannot be looked at, or has stored nothing yet, still has runs.
    if (run.thread) page.open(run.thread).catch(() => {});
  };
  const took = run.seconds === null ? "waits" : seconds(run.seconds);
  return h(
    "button",
    { type: "button", class: "entry", onclick: look, "aria-label": `${run.status}: run of ${run.thread || "no thread"} by ${run.by}` },
    h("span", { class: "what" }, badge(run.status), h("span", { class: "id" }, run.thread || "no thread")),
    h("span", { class: "about" }, `${run.by} · ${took}`),
  );
}

function badge(status) {
  const kind = { success: "finished", error: "failed", timeout: "failed", cancelled: "failed", interrupted: "interrupted", running: "changed" }[status];
  return h("span", { class: `badge ${kind ?? ""}` }, status);
}

/** Shows what a run does, from its beginning, whatever is looked at meanwhile. */
function follow(run) {
  if (followed?.id === run.id && followed.goesOn) return;
  followed?.events.close();
  const events = new EventSource(`/api/events?${new URLSearchParams({ run: run.id })}`);
  const own = { id: run.id, events, goesOn: true };
  followed = own;
  const state = h("span", { class: "badge changed" }, "runs");
  const stop = tell(() => act("stop", { run: run.id }));
  const stopper = page.write && run.by.startsWith("this page") ? h("button", { type: "button", onclick: stop }, "Stop") : null;
  const output = h("div", { role: "log", "aria-label": "What the run does", class: "output", tabindex: "0" });
  const leave = () => {
    closed.add(run.id);
    events.close();
    own.goesOn = false;
    byId("run").hidden = true;
  };
  const close = h("button", { type: "button", class: "close", "aria-label": "Close", onclick: leave }, "×");
  byId("run").replaceChildren(h("header", {}, h("h3", {}, `Run of ${run.thread || "no thread"}`), h("span", { class: "about" }, run.by), state, stopper ?? "", close), output);
  byId("run").hidden = false;
  const over = (name, kind) => {
    events.close();
    own.goesOn = false;
    state.textContent = name;
    state.className = `badge ${kind}`;
    stopper?.remove();
    page.changed();
  };
  const show = teller(output);
  events.addEventListener("message", ({ data }) => {
    const event = JSON.parse(data);
    const isNear = output.scrollTop + output.clientHeight > output.scrollHeight - 40;
    show(event);
    if (isNear) output.scrollTop = output.scrollHeight;
    if (event.kind === "done") over("over", "finished");
    if (event.kind === "failed") over("failed", "failed");
    if (event.kind === "stopped") over("stopped", "failed");
  });
  // It is asked again by itself, from the last event on, unless the server does not know the run.
  events.addEventListener("error", () => {
    if (events.readyState === EventSource.CLOSED && own.goesOn) over("not connected", "");
  });
}

/** Returns what adds an event to the output; tokens of one message go on in one place. */
function teller(output) {
  let tokens = null;
  return (event) => {
    if (event.kind === "messages") {
      if (tokens?.dataset.message !== String(event.id)) {
        tokens = h("span", { class: "tokens", "data-message": String(event.id) });
        output.append(h("div", {}, h("span", { class: "event" }, `${event.node}: `), tokens));
      }
      tokens.append(event.text);
    } else {
      const made = line(event);
      if (!made) return;
      tokens = null;
      output.append(made);
    }
    while (output.childElementCount > KEPT) output.firstElementChild.remove();
  };
}

function line(event) {
  const within = event.namespace ? ` in ${event.namespace.split("|").map((part) => part.split(":")[0]).join(" › ")}` : "";
  const note = (text, more = null) => h("div", {}, h("span", { class: "event" }, text), more);
  const trouble = (text) => h("pre", { class: "error" }, text);
  switch (event.kind) {
    case "done":
    case "stopped":
      return null;
    case "failed":
      return trouble(event.text);
    case "attempt":
      return h("details", {}, h("summary", { class: "failed" }, `${event.name}: attempt ${event.number} failed`), trouble(event.text));
    case "task":
      return note(`${event.name}${within} ${taskText(event)}`, event.value ? whole(event.value) : null);
    default:
      return note(`${event.kind}${within}`, whole(event.value));
  }
}

function taskText(event) {
  const took = event.seconds === null || event.seconds === undefined ? "" : ` after ${seconds(event.seconds)}`;
  return { begins: "begins", over: `is over${took}`, failed: `failed${took}: ${event.text}`, interrupted: `is interrupted${took}` }[event.state];
}

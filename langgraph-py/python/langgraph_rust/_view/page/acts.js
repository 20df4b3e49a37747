// What can be done when the graph is known: run it, answer it, write to its state, look at it.

import { byId, h, say, tell } from "./dom.js";
import { act, follow } from "./source.js";
import { whole } from "./changes.js";

/** Returns a form that answers an interrupt. `can` says where, and what happens then. */
export function answerForm(node, can) {
  const id = (node.items ?? []).find(([key]) => key === "id")?.[1]?.text;
  const field = h("textarea", { "aria-label": "Answer, as JSON or plain text", placeholder: "JSON, or plain text", rows: 2 });
  return h(
    "form",
    {
      onsubmit: tell(async (event) => {
        event.preventDefault();
        await run({ resume: loosely(field.value), interrupt: id }, can);
      }),
    },
    field,
    h("button", { class: "primary" }, "Answer"),
  );
}

/** Returns the tab that runs the graph from a checkpoint. */
export function actTab(told, can) {
  const input = h("textarea", { id: "input", placeholder: '{"messages": [{"role": "user", "content": "…"}]}', rows: 3 });
  const values = h("textarea", { id: "values", placeholder: '{"notes": "…"}', rows: 3 });
  const node = h("select", { id: "as-node" }, h("option", { value: "" }, "whichever ran last"), can.nodes.map((name) => h("option", { value: name }, name)));
  const where = can.isNewest ? "from here, the newest checkpoint" : "from here, on a branch of its own";
  const begin = (asked) => tell(async (event) => {
    event.preventDefault();
    await run(asked(), can);
  });
  return h(
    "div",
    { class: "act" },
    h("section", { "aria-label": "Go on" }, h("h3", {}, "Go on"), h("p", { class: "about" }, told.next.length ? `Runs ${told.next.join(", ")} on the stored input, ${where}.` : `Runs what follows, ${where}.`), h("form", { onsubmit: begin(() => ({})) }, h("button", { class: "primary" }, "Go on from here"))),
    h("section", { "aria-label": "New input" }, h("h3", {}, "New input"), h("form", { onsubmit: begin(() => ({ input: strictly(input.value) })) }, h("label", { class: "about", for: "input" }, "JSON"), input, h("button", {}, "Run with this input"))),
    h(
      "section",
      { "aria-label": "Edit the state" },
      h("h3", {}, "Edit the state"),
      h(
        "form",
        {
          onsubmit: tell(async (event) => {
            event.preventDefault();
            const made = await act("update", { ...target(can), values: strictly(values.value), as_node: node.value || null });
            await can.done(made.checkpoint);
          }),
        },
        h("label", { class: "about", for: "values" }, "Written to the state as a node would write it, as JSON; reducers apply."),
        values,
        h("label", { class: "about", for: "as-node" }, "In the place of"),
        node,
        h("button", {}, "Store as a new checkpoint"),
      ),
    ),
  );
}

/** Returns the tab with the picture of the graph. */
export function graphTab(thread) {
  const place = h("div", { class: "picture" }, h("p", { class: "note" }, "…"));
  const query = new URLSearchParams({ thread });
  fetch(`/graph.svg?${query}`)
    .then(async (response) => {
      if (!response.ok) throw new Error(`the graph could not be drawn (${response.status})`);
      const isPicture = response.headers.get("content-type").startsWith("image/");
      place.replaceChildren(isPicture ? h("img", { src: `/graph.svg?${query}`, alt: "The graph, and where the thread stands in it" }) : h("pre", {}, await response.text()));
    })
    .catch((error) => say(error.message));
  return place;
}

/** The newest checkpoint is gone on with as it is; from any other a branch begins. */
function target({ place, isNewest }) {
  return { thread: place.thread, namespace: place.namespace, checkpoint: isNewest ? null : place.checkpoint };
}

/** Runs the graph, and shows what it does below the checkpoint, whichever is looked at meanwhile. */
async function run(asked, can) {
  const stop = new AbortController();
  const state = h("span", { class: "badge" }, "runs");
  const stopper = h("button", { type: "button", onclick: () => stop.abort() }, "Stop");
  const output = h("div", { role: "log", "aria-label": "What the run does", class: "output", tabindex: "0" });
  const close = h("button", { type: "button", class: "close", "aria-label": "Close", onclick: () => (byId("run").hidden = true) }, "×");
  byId("run").replaceChildren(h("header", {}, h("h3", {}, `Run of ${can.place.thread}`), state, stopper, close), output);
  byId("run").hidden = false;
  let tokens = null;
  let outcome = "stopped";
  const take = (kind, event) => {
    const isNear = output.scrollTop + output.clientHeight > output.scrollHeight - 40;
    if (kind === "messages") {
      if (tokens?.dataset.message !== String(event.id)) {
        tokens = h("span", { class: "tokens", "data-message": String(event.id) });
        output.append(h("span", { class: "event" }, `${event.node}: `), tokens);
      }
      tokens.append(event.text);
    } else if (kind === "done") {
      outcome = "over";
    } else {
      if (kind === "failed") outcome = "failed";
      tokens = null;
      output.append(line(kind, event));
    }
    if (isNear) output.scrollTop = output.scrollHeight;
  };
  try {
    await follow("run", { ...target(can), ...asked }, take, stop.signal);
  } catch (error) {
    if (error.name !== "AbortError") throw error;
  } finally {
    state.textContent = outcome;
    state.classList.add(outcome === "over" ? "finished" : "failed");
    stopper.remove();
    can.refresh();
  }
}

function line(kind, event) {
  const within = event.namespace ? ` ${event.namespace}` : "";
  if (kind === "failed") return h("span", { class: "failed" }, event.text);
  if (kind !== "tasks") return h("div", {}, h("span", { class: "event" }, `${kind}${within}`), whole(event.value));
  const fields = Object.fromEntries(event.value.items ?? []);
  const name = fields.name?.text ?? "";
  const has = (field) => fields[field] && fields[field].kind !== "null" && fields[field].count !== 0;
  const what = fields.input ? "begins" : has("error") ? `fails: ${fields.error.text}` : has("interrupts") ? "is interrupted" : "is over";
  return h("span", { class: "event" }, `${name}${within} ${what}`);
}

function strictly(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`That is not JSON: ${error.message}`);
  }
}

function loosely(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

// What can be done when the graph is known: run it, answer it, write to its state, look at it.

import { h, say, tell } from "./dom.js";
import { act, ask } from "./source.js";
import { followNew } from "./runs.js";

/** Returns a form that answers an interrupt. `can` says where, and what happens then. */
export function answerForm(node, can) {
  const id = (node.items ?? []).find(([key]) => key === "id")?.[1]?.text;
  const field = h("textarea", { "aria-label": "Answer, as JSON or plain text", placeholder: "JSON, or plain text", rows: 2 });
  return h(
    "form",
    {
      onsubmit: tell(async (event) => {
        event.preventDefault();
        await run({ resume: field.value, interrupt: id }, can);
        field.value = "";
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
    h("section", { "aria-label": "New input" }, h("h3", {}, "New input"), h("form", { onsubmit: begin(() => ({ input: checked(input.value) })) }, h("label", { class: "about", for: "input" }, "JSON"), input, h("button", {}, "Run with this input"))),
    h(
      "section",
      { "aria-label": "Edit the state" },
      h("h3", {}, "Edit the state"),
      h(
        "form",
        {
          onsubmit: tell(async (event) => {
            event.preventDefault();
            const made = await act("update", { ...target(can), values: checked(values.value), as_node: node.value || null });
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

/** Returns a form that begins a thread; `open(id)` is called when it has begun. */
export function newThread(open) {
  const name = h("input", { id: "new-thread", placeholder: "a new id", autocomplete: "off", spellcheck: "false" });
  const input = h("textarea", { id: "new-input", placeholder: '{"messages": [{"role": "user", "content": "…"}]}', rows: 3 });
  const begin = tell(async (event) => {
    event.preventDefault();
    const thread = name.value || crypto.randomUUID();
    const { run: id } = await act("run", { thread, input: checked(input.value) });
    followNew(id, thread);
    // The input is stored before anything runs.
    for (let tries = 0; tries < 20; tries++) {
      await new Promise((done) => setTimeout(done, 150));
      const { threads } = await ask("threads", { q: thread });
      if (threads.some((one) => one.id === thread)) return await open(thread);
    }
  });
  return h(
    "div",
    { class: "panel act" },
    h("section", { "aria-label": "New thread" }, h("h3", {}, "New thread"), h("form", { onsubmit: begin }, h("label", { class: "about", for: "new-thread" }, "Its id; a random one if left out"), name, h("label", { class: "about", for: "new-input" }, "Input, as JSON"), input, h("button", { class: "primary" }, "Begin"))),
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

/** Runs the graph; what it does is shown below the checkpoint, whichever is looked at meanwhile. */
async function run(asked, can) {
  const { run: id } = await act("run", { ...target(can), ...asked });
  followNew(id, can.place.thread);
}

/** Returns what runs a task of the checkpoint again; nothing of that is stored. */
export function rerunButton(task, can) {
  const rerun = tell(async () => {
    const { run: id } = await act("rerun", { ...can.place, task: task.id, name: task.name });
    followNew(id, can.place.thread, "this page, aside");
  });
  return h("button", { type: "button", onclick: rerun, title: "On its stored input; nothing of it is stored" }, "Run again, aside");
}

/** Returns a text that is JSON as it is: a number in it may be larger than a browser's. */
function checked(text) {
  try {
    JSON.parse(text);
  } catch (error) {
    throw new Error(`That is not JSON: ${error.message}`);
  }
  return text;
}

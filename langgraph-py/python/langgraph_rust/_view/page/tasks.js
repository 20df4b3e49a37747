// A task: what it wrote, how it failed, what it asks.

import { h, bytes } from "./dom.js";
import { whole } from "./changes.js";
import { tree } from "./values.js";

/** Returns what is to be seen of a task; with `handlers.answer`, its questions can be answered. */
export function taskCard(task, place, handlers) {
  const isOpen = task.interrupts.length && task.state === "interrupted";
  return h(
    "section",
    { class: "task", "aria-label": `Task ${task.name}` },
    h("header", {}, h("h3", {}, task.name), h("span", { class: `badge ${task.state}` }, task.state), h("code", { class: "id", title: task.id }, task.id.slice(0, 8)), isNode(task) ? handlers.rerun?.(task) : null),
    task.input ? h("div", {}, h("h4", {}, "was sent"), whole(task.input)) : isNode(task) ? h("p", { class: "about" }, "reads the state of this checkpoint") : null,
    task.error ? h("pre", { class: "error" }, task.error.text ?? JSON.stringify(task.error)) : null,
    task.interrupts.map((one) => h("div", { class: "asks" }, h("h4", {}, isOpen ? "asks" : "asked"), interruptValue(one), isOpen && handlers.answer ? handlers.answer(one, task) : null)),
    task.resumes.length ? h("div", { class: "asks" }, h("h4", {}, "was answered"), task.resumes.map((one) => whole(one))) : null,
    task.writes.length
      ? tree(
          `Writes of ${task.name}`,
          task.writes.map((one) => ({
            label: one.channel,
            node: one.value ?? { kind: "list", count: 1 },
            from: { ...place, task: task.id, index: one.index },
            extra: h("span", { class: "side" }, h("span", { class: "size" }, bytes(one.size))),
          })),
        )
      : task.error || task.interrupts.length || task.resumes.length ? null : h("p", { class: "note" }, "nothing"),
  );
}

/** Inputs, and functions that tasks call, are no tasks of nodes. */
function isNode(task) {
  return !/^(\(|__start__$|called by )/.test(task.name);
}

function interruptValue(node) {
  const value = (node.items ?? []).find(([key]) => key === "value")?.[1];
  return h("div", { class: "asked" }, whole(value ?? node));
}

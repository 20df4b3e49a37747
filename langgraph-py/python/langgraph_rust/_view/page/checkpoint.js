// One checkpoint, in tabs.

import { h, byId, bytes, seconds, plural } from "./dom.js";
import { changes } from "./changes.js";
import { conversation, isConversation } from "./messages.js";
import { tree } from "./values.js";
import { taskCard } from "./tasks.js";

let tab = "state";

/** Shows a checkpoint. `place` names it for questions, `labels` the two that are compared, `more` are
 * further tabs as `[id, name, make]`, `handlers` what links do. */
export function showCheckpoint(told, place, labels, handlers, more = []) {
  const talks = told.channels.filter((one) => isConversation(one.value));
  const changed = told.channels.filter((one) => one.changed && !one.engine).length;
  const tabs = [
    ["state", "State", () => stateTab(told, place)],
    ["changes", `Changes${changed ? ` (${changed})` : ""}`, () => changes(told, { ...place, against: told.against }, labels)],
    ...(talks.length ? [["talk", "Conversation", () => talks.map((one) => [talks.length > 1 ? h("h3", {}, one.name) : null, conversation(one.name, one.value.count, { ...place, channel: one.name })])]] : []),
    ["tasks", `Tasks${told.tasks.length ? ` (${told.tasks.length})` : ""}`, () => tasksTab(told, place, handlers)],
    ["about", "About", () => aboutTab(told, handlers)],
    ...more,
  ];
  if (!tabs.some(([id]) => id === tab)) tab = "state";
  const panel = h("div", { role: "tabpanel", id: "panel", class: "panel", "aria-labelledby": `tab-${tab}` });
  const buttons = tabs.map(([id, name]) =>
    h("button", { type: "button", role: "tab", id: `tab-${id}`, "aria-controls": "panel", onclick: () => pick(id) }, name),
  );
  const pick = (id) => {
    tab = id;
    buttons.forEach((button, index) => {
      const isChosen = tabs[index][0] === id;
      button.setAttribute("aria-selected", String(isChosen));
      button.tabIndex = isChosen ? 0 : -1;
    });
    panel.setAttribute("aria-labelledby", `tab-${id}`);
    panel.replaceChildren(...[tabs.find(([one]) => one === id)[2]()].flat(Infinity).filter(Boolean));
  };
  const list = h(
    "div",
    {
      role: "tablist",
      "aria-label": "Checkpoint",
      class: "tabs",
      onkeydown: (event) => {
        const at = tabs.findIndex(([id]) => id === tab);
        const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
        if (to === undefined || !tabs[to]) return;
        pick(tabs[to][0]);
        buttons[to].focus();
        event.preventDefault();
      },
    },
    buttons,
  );
  const hadFocus = byId("detail").querySelector("[role=tablist]")?.contains(document.activeElement);
  byId("detail").replaceChildren(heading(told), list, panel);
  pick(tab);
  if (hadFocus) buttons.find((button) => button.tabIndex === 0).focus();
}

/** Shows another tab the next time. */
export function preferTab(id) {
  tab = id;
}

function heading(told) {
  return h(
    "div",
    { class: "heading" },
    h("h2", {}, `Step ${told.step ?? "?"}`, told.source ? h("span", { class: `badge ${told.source}` }, told.source) : null),
    h(
      "p",
      { class: "about" },
      [told.ts && new Date(told.ts).toLocaleString(), told.seconds !== null && `${seconds(told.seconds)} after the one before`, bytes(told.size)].filter(Boolean).join(" · "),
    ),
    told.next.length ? h("p", { class: "next" }, "Next: ", told.next.map((name) => h("span", { class: "node" }, name))) : h("p", { class: "next about" }, "Nothing follows that the checkpoint knows of."),
    told.trouble ? h("p", { class: "trouble" }, told.trouble) : null,
  );
}

function stateTab(told, place) {
  const root = (one) => ({ label: one.name, node: one.value, from: { ...place, channel: one.name }, extra: sideOf(one) });
  const fields = told.channels.filter((one) => !one.engine);
  const engine = told.channels.filter((one) => one.engine && one.state !== "empty");
  return [
    fields.length ? tree("State by channel", fields.map(root)) : h("p", { class: "note" }, "No field of the state has a value yet."),
    engine.length ? h("details", { class: "engine" }, h("summary", {}, plural(engine.length, "channel"), " of the engine's own"), tree("The engine's channels", engine.map(root))) : null,
  ];
}

function sideOf(one) {
  return h(
    "span",
    { class: "side" },
    one.state === "empty" ? h("span", { class: "dim" }, "empty") : null,
    one.state === "rebuilt" ? h("span", { class: "badge", title: `Not stored here: ${one.how}` }, one.writes ? `rebuilt from ${plural(one.writes, "write")}, ${one.how}` : "as before") : null,
    one.state === "changes" ? h("span", { class: "badge" }, `${plural(one.writes, "write")}: ${one.how}`) : null,
    one.changed ? h("span", { class: "badge changed" }, "changed") : null,
    one.size !== undefined ? h("span", { class: "size" }, bytes(one.size)) : null,
  );
}

function tasksTab(told, place, handlers) {
  if (!told.tasks.length) return h("p", { class: "note" }, "No task has written on this checkpoint.");
  return told.tasks.map((task) => taskCard(task, place, handlers));
}

function aboutTab(told, handlers) {
  const link = (id) => h("button", { type: "button", class: "link", onclick: () => handlers.open(id) }, id);
  const rows = [
    ["Checkpoint", h("code", {}, told.id)],
    ["Parent", told.parent ? link(told.parent) : "none"],
    ["Children", told.children.length ? told.children.map(link) : "none"],
    ["Namespace", told.namespace || "root"],
    ["Subgraphs", told.subgraphs.length ? told.subgraphs.map((one) => h("button", { type: "button", class: "link", onclick: () => handlers.namespace(one) }, one)) : "none"],
  ];
  return [
    h("dl", { class: "facts" }, rows.map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])),
    h("h3", {}, "Metadata"),
    tree("Metadata", (told.metadata.items ?? []).map(([label, node]) => ({ label, node }))),
  ];
}

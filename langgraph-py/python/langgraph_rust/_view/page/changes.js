// What differs between two checkpoints, side by side.

import { h, say, bytes } from "./dom.js";
import { ask } from "./source.js";
import { brief, typeName } from "./values.js";

/** Returns the channels that differ; what differs in each is loaded. `place` names the checkpoints. */
export function changes(checkpoint, place, labels) {
  const differing = checkpoint.channels.filter((one) => one.changed && !one.engine);
  const kept = checkpoint.channels.filter((one) => !one.changed && !one.engine);
  if (!checkpoint.against) return h("p", { class: "note" }, "Nothing came before this checkpoint.");
  return h(
    "div",
    { class: "changes" },
    h("div", { class: "sides heads" }, h("span", {}, labels[0]), h("span", {}, labels[1])),
    differing.map((one) => section(one, place)),
    differing.length ? null : h("p", { class: "note" }, "No field of the state differs."),
    kept.length ? h("p", { class: "note" }, `The same: ${kept.map((one) => one.name).join(", ")}`) : null,
  );
}

function section(channel, place) {
  const body = h("div", { class: "differences" }, h("p", { class: "note" }, "…"));
  ask("diff", { ...place, channel: channel.name })
    .then((found) => body.replaceChildren(...rows(found)))
    .catch((error) => say(error.message));
  return h(
    "section",
    { class: "change", "aria-label": channel.name },
    h("h3", {}, channel.name, h("span", { class: "count" }, channel.size === undefined ? "empty" : bytes(channel.size))),
    body,
  );
}

function rows(found) {
  if (found.redacted) return [h("p", { class: "redacted" }, "█████")];
  const made = found.changes.map(({ path, before, after }) => {
    const [old, now] = marked(before, after);
    return h(
      "div",
      { class: "difference" },
      path.length ? h("div", { class: "path" }, path.join(" › ")) : null,
      h(
        "div",
        { class: "sides" },
        h("div", { class: before ? "removed" : "absent" }, before ? [h("span", { class: "sr" }, "before: "), old] : null),
        h("div", { class: after ? "added" : "absent" }, after ? [h("span", { class: "sr" }, "after: "), now] : null),
      ),
    );
  });
  if (!made.length) made.push(h("p", { class: "note" }, "Stored again; the same value."));
  if (found.more) made.push(h("p", { class: "note" }, "There are more changes than are shown."));
  return made;
}

/** Marks where two texts differ, if both are texts. */
function marked(before, after) {
  if (before?.kind !== "text" || after?.kind !== "text") return [whole(before), whole(after)];
  const a = before.text, b = after.text;
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < Math.min(a.length, b.length) - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  const part = (text) => h("span", { class: "value text" }, text.slice(0, start), h("mark", {}, text.slice(start, text.length - end)), text.slice(text.length - end));
  return [part(a), part(b)];
}

/** Returns a value with what it holds, as far as it is here. */
export function whole(node) {
  if (!node) return null;
  if (!node.items?.length) return brief(node, null);
  const type = node.type ? typeName(node.type) : null;
  const shown = node.type ? node.items.filter(([, one]) => one.kind !== "null" && one.count !== 0) : node.items;
  return [
    type,
    h("div", { class: "nested" }, shown.map(([key, one]) => h("div", { class: "pair" }, h("span", { class: "key" }, node.kind === "list" ? "" : String(key)), h("div", {}, whole(one)))), node.items.length < node.count ? h("span", { class: "count" }, `… ${node.count} in all`) : null),
  ];
}

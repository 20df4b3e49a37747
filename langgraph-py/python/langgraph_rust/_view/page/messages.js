// Messages as a conversation.

import { h, say, plural } from "./dom.js";
import { ask } from "./source.js";
import { brief, tree } from "./values.js";

const LIMIT = 30;
const WHO = { human: "Human", ai: "AI", system: "System", tool: "Tool", function: "Function", chat: "Chat", remove: "Removed" };

/** Whether a value is a list of messages, by its first items. */
export function isConversation(node) {
  return node?.kind === "list" && node.count > 0 && (node.items ?? []).length > 0 && node.items.every(([, one]) => one.type?.startsWith("langchain_core.messages."));
}

/** Returns a channel's messages, the last of them first loaded. */
export function conversation(name, count, from) {
  const list = h("div", { role: "log", "aria-label": `Messages in ${name}`, class: "messages", "aria-live": "off" });
  const load = async (end) => {
    const offset = Math.max(end - LIMIT, 0);
    const found = await ask("value", { ...from, offset, limit: end - offset, depth: 6, text: 20000 });
    const some = found.items.map(([index, node]) => message(node, { ...from, pointer: `/${index}` }));
    if (offset > 0) {
      const earlier = h("button", { type: "button", class: "earlier" }, `${plural(offset, "earlier message")}`);
      earlier.addEventListener("click", () => {
        earlier.remove();
        load(offset).catch((error) => say(error.message));
      });
      some.unshift(earlier);
    }
    list.prepend(...some);
  };
  load(count).catch((error) => say(error.message));
  return list;
}

/** Returns one message. */
export function message(node, from) {
  const fields = Object.fromEntries(node.items ?? []);
  const kind = fields.type?.text ?? node.type?.slice(node.type.lastIndexOf(".") + 1).replace(/Message(Chunk)?$/, "").toLowerCase() ?? "";
  const name = fields.name?.kind === "text" ? fields.name.text : null;
  const usage = fields.usage_metadata?.items && Object.fromEntries(fields.usage_metadata.items);
  return h(
    "article",
    { class: `message ${kind}` },
    h(
      "header",
      {},
      h("strong", {}, WHO[kind] ?? kind),
      name && h("span", { class: "name" }, name),
      usage?.total_tokens && h("span", { class: "count" }, `${usage.total_tokens.text} tokens`),
      fields.id?.kind === "text" && h("code", { class: "id", title: fields.id.text }, fields.id.text.slice(-8)),
    ),
    content(fields.content, from),
    calls(fields.tool_calls, from),
    fields.status?.text === "error" && h("span", { class: "badge failed" }, "error"),
  );
}

function content(node, from) {
  if (!node || (node.kind === "text" && !node.text)) return null;
  if (node.kind === "list" && node.items) return node.items.map(([index, block]) => blockOf(block, { ...from, pointer: `${from.pointer}/content/${index}` }));
  return h("div", { class: "content" }, brief(node, { ...from, pointer: `${from.pointer}/content` }));
}

function blockOf(block, from) {
  const fields = Object.fromEntries(block.items ?? []);
  if (block.kind === "text") return h("div", { class: "content" }, brief(block, from));
  if (fields.type?.text === "text" && fields.text) return h("div", { class: "content" }, brief(fields.text, { ...from, pointer: `${from.pointer}/text` }));
  return tree("Block of content", [{ label: fields.type?.text ?? "block", node: block, from }]);
}

function calls(node, from) {
  return (node?.items ?? []).map(([index, call]) => {
    const fields = Object.fromEntries(call.items ?? []);
    const place = { ...from, pointer: `${from.pointer}/tool_calls/${index}/args` };
    const node = fields.args ?? { kind: "map", count: 0 };
    return h("div", { class: "call" }, tree(`Call of ${fields.name?.text}`, [{ label: fields.name?.text ?? "tool", node, from: place, open: node.count > 0 && node.count < 6 }]));
  });
}

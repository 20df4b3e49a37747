// Where the page gets what it shows: the server, or the file that it is in.

import { byId } from "./dom.js";

const embedded = byId("answers");
const answers = embedded && JSON.parse(embedded.textContent);

/** Whether the page is a file: one thread, and nobody to ask. */
export const isFile = answers !== null;

/** Asks the server. Throws an `Error` with what it says if it does not answer. */
export async function ask(what, given = {}) {
  if (isFile) return fromFile(what, given);
  const query = new URLSearchParams(Object.entries(given).filter(([, value]) => value !== null && value !== undefined));
  const response = await fetch(`/api/${what}?${query}`);
  return await read(response);
}

async function read(response) {
  const text = await response.text();
  let found;
  try {
    found = JSON.parse(text);
  } catch {
    throw new Error(text || `the server answered ${response.status}`);
  }
  if (!response.ok) throw new Error(found.error ?? `the server answered ${response.status}`);
  return found;
}

/** Has the server do something. */
export async function act(what, given) {
  return await read(
    await fetch(`/api/${what}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(given),
    }),
  );
}

/** Calls `changed` whenever something was stored, and `state` with whether that is being watched. */
export function watch(changed, state) {
  if (isFile) return;
  const events = new EventSource("/api/live");
  events.addEventListener("open", () => {
    state(true);
    // What was stored before it was watched, or while the server was gone, is not told.
    changed();
  });
  events.addEventListener("error", () => state(false));
  events.addEventListener("changed", changed);
}

function fromFile(what, given) {
  const { thread, lists, checkpoints } = answers;
  const namespace = given.namespace ?? "";
  const checkpoint = () => {
    const own = given.checkpoint || lists[namespace].checkpoints[0].id;
    const found = checkpoints[`${namespace} ${own}`];
    if (!found) throw new Error("this checkpoint is not in the file");
    return found;
  };
  switch (what) {
    case "about":
      return { database: thread.id };
    case "threads":
      return {
        threads: [{ id: thread.id, checkpoints: thread.namespaces.reduce((sum, one) => sum + one.checkpoints, 0), ts: thread.namespaces[0].ts }],
        next: null,
      };
    case "thread":
      return thread;
    case "checkpoints":
      return lists[namespace];
    case "checkpoint":
      return checkpoint();
    case "diff":
      return checkpoint().channels.find((one) => one.name === given.channel)?.diff ?? { changes: [], more: false };
    case "value":
      return within(checkpoint(), given);
    default:
      throw new Error("that is not in the file");
  }
}

function within(checkpoint, given) {
  const whole = given.task
    ? checkpoint.tasks.find((one) => one.id === given.task).writes.find((one) => one.index === given.index).value
    : checkpoint.channels.find((one) => one.name === given.channel).value;
  let node = whole;
  const steps = (given.pointer ?? "").split("/").slice(1);
  for (const step of steps.map((one) => one.replaceAll("~1", "/").replaceAll("~0", "~"))) {
    node = node.items?.find(([key]) => String(key) === step)?.[1];
    if (!node) throw new Error("this part is not in the file");
  }
  const offset = given.offset ?? 0;
  if (node.kind === "text") return { ...node, offset, text: node.text.slice(offset) };
  if (!node.items) return node;
  return { ...node, offset, items: node.items.slice(offset, offset + (given.limit ?? 50)), held: node.items.length };
}

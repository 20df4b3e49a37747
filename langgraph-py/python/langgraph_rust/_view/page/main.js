// The page: which thread, namespace and checkpoint are shown is in the address.

import { byId, h, say, tell, settled } from "./dom.js";
import { ask, isFile, watch } from "./source.js";
import { showCheckpoint } from "./checkpoint.js";
import { markBase, markCheckpoint, nameOf, newestId, refreshHistory, showHistory } from "./history.js";
import { loadThreads, markThread, refreshThreads, setUpThreads } from "./threads.js";
import { actTab, answerForm, graphTab, newThread, rerunButton } from "./acts.js";
import { refreshRuns, setUpRuns } from "./runs.js";
import { showTools } from "./tools.js";

const shown = { thread: null, namespace: null, checkpoint: null, against: null };
let about = {};

function go(change) {
  const next = { ...shown, ...change };
  const query = new URLSearchParams();
  for (const [short, name] of [["t", "thread"], ["n", "namespace"], ["c", "checkpoint"], ["a", "against"]]) {
    if (next[name]) query.set(short, next[name]);
  }
  // Walking through checkpoints leaves one entry in the browser's history, not hundreds.
  const isSame = next.thread === shown.thread && next.namespace === shown.namespace;
  history[isSame ? "replaceState" : "pushState"](null, "", `#${query}`);
  return show();
}

async function show() {
  const query = new URLSearchParams(location.hash.slice(1));
  const wanted = { thread: query.get("t"), namespace: query.get("n") ?? "", checkpoint: query.get("c"), against: query.get("a") };
  if (!wanted.thread) return empty();
  const isOther = wanted.thread !== shown.thread || wanted.namespace !== shown.namespace;
  Object.assign(shown, wanted);
  if (isOther) {
    markThread(shown.thread);
    document.title = shown.thread;
    const found = await ask("thread", { thread: shown.thread }).catch((error) => {
      // It may be there the next time.
      shown.thread = null;
      throw error;
    });
    const { namespaces } = found;
    if (!namespaces.some((one) => one.namespace === shown.namespace)) shown.namespace = namespaces[0].namespace;
    const newest = await showHistory(shown.thread, namespaces, shown.namespace, handlers);
    shown.checkpoint ??= newest;
    showTools(shown.thread);
    await refreshRuns(shown.thread);
  }
  await detail();
}

let last = "";

async function detail(isAgain = false) {
  markBase(shown.against);
  markCheckpoint(shown.checkpoint);
  const asked = shown.checkpoint;
  const place = { thread: shown.thread, namespace: shown.namespace, checkpoint: asked };
  const told = await ask("checkpoint", { ...place, against: shown.against });
  if (asked !== shown.checkpoint) return;
  // What is looked into stays open as long as nothing has changed.
  const text = JSON.stringify(told);
  if (isAgain && text === last) return;
  last = text;
  const labels = [told.against ? nameOf(told.against) : "", nameOf(told.id)];
  const isNewest = newestId() === asked;
  const can = { ...about, place, isNewest, done: (checkpoint) => go({ checkpoint, against: null }) };
  const more = about.app ? [["graph", "Graph", () => graphTab(shown.thread)]] : [];
  if (about.write && !shown.namespace) more.push(["act", "Run", () => actTab(told, can)]);
  const doing = { answer: (asked) => answerForm(asked, can), rerun: shown.namespace ? null : (task) => rerunButton(task, can) };
  const own = about.write ? { ...handlers, ...doing } : handlers;
  showCheckpoint(told, place, labels, own, more);
}

function empty() {
  byId("history").replaceChildren(h("p", { class: "note" }, "Choose a thread."));
  const begin = about.write ? newThread((thread) => go({ thread, namespace: "", checkpoint: null, against: null })) : "";
  byId("detail").replaceChildren(begin);
}

const open = settled(tell((checkpoint) => go({ checkpoint })), 30);

const handlers = {
  open: (id) => {
    markCheckpoint(id);
    open(id);
  },
  namespace: tell((namespace) => go({ namespace, checkpoint: null, against: null })),
  compare: tell((id) => go({ against: shown.against === id ? null : id })),
};

const changed = settled(tell(async () => {
  await refreshRuns(shown.thread);
  await refreshThreads();
  const wasNewest = newestId() === shown.checkpoint;
  const newest = await refreshHistory();
  // Whoever looks at the newest goes on doing so, but for who is writing something there.
  const isWriting = [...byId("detail").querySelectorAll("textarea")].some((one) => one.value && one === document.activeElement);
  if (newest && wasNewest && !isWriting) await go({ checkpoint: newest });
  else if (wasNewest && !isWriting && shown.thread) await detail(true);
}), 150);

async function start() {
  // The token is a cookie now; nobody needs to see it.
  if (location.search) history.replaceState(null, "", location.pathname + location.hash);
  about = await ask("about");
  byId("database").textContent = about.database.split(/[\\/]/).at(-1) || about.database;
  byId("database").title = about.database;
  if (isFile) document.body.classList.add("file");
  setUpThreads(tell((thread) => go({ thread, namespace: "", checkpoint: null, against: null })));
  if (about.runs) setUpRuns({ write: about.write, open: (thread) => go({ thread, namespace: "", checkpoint: null, against: null }), changed });
  await loadThreads(true);
  if (isFile && !location.hash) return await go({ thread: about.database, namespace: "" });
  await show();
  watch(changed, (isOn) => {
    byId("live").textContent = isOn ? "live" : "not connected";
    byId("live").classList.toggle("on", isOn);
  });
}

addEventListener("hashchange", tell(show));
addEventListener("popstate", tell(show));
addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.target.closest("input, textarea, select")) return;
  byId("search")?.focus();
  event.preventDefault();
});
say("");
tell(start)();

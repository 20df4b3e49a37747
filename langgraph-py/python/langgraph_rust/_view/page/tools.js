// What can be done with a thread as a whole: what it takes, and a file of it.

import { h, byId, bytes, tell } from "./dom.js";
import { ask, isFile } from "./source.js";

/** Shows the tools for a thread; `more` are further buttons. */
export function showTools(thread, more = []) {
  if (isFile) return;
  byId("tools").replaceChildren(
    ...more,
    h("button", { type: "button", onclick: tell(() => sizes(thread)) }, "Storage"),
    h("button", { type: "button", onclick: () => exporting(thread) }, "Export…"),
  );
}

/** Shows a dialog that goes away when it is closed. */
export function dialog(title, ...content) {
  const close = h("button", { type: "button", class: "close", "aria-label": "Close", onclick: () => made.close() }, "×");
  const made = h("dialog", { "aria-label": title, onclose: () => made.remove() }, h("header", {}, h("h2", {}, title), close), content);
  document.body.append(made);
  made.showModal();
  return made;
}

async function sizes(thread) {
  const shown = dialog("What the thread takes", h("p", { class: "note" }, "Looking at every checkpoint…"));
  try {
    const found = await ask("storage", { thread });
    const rows = found.channels.slice(0, 200).map((one) =>
      h("tr", {}, h("td", {}, one.namespace || "root"), h("td", {}, one.channel || "(rest)"), [one.values, null, one.writes, null].map((_, index) => h("td", { class: "number" }, [one.values, bytes(one.value_bytes), one.writes, bytes(one.write_bytes)][index])), h("td", { class: "number" }, bytes(one.linear_bytes))),
    );
    const saved = found.row_bytes - found.linear_row_bytes;
    shown.lastChild.replaceWith(
      h(
        "div",
        {},
        h("p", {}, `${bytes(found.row_bytes)} in rows. `, saved > 0 ? h("b", {}, `Stored as changes: ${bytes(found.linear_row_bytes)}, ${bytes(saved)} less.`) : "Stored as changes it would take as much."),
        h("table", {}, h("thead", {}, h("tr", {}, ["namespace", "channel", "values", "", "writes", "", "as changes"].map((name) => h("th", { scope: "col" }, name)))), h("tbody", {}, rows)),
      ),
    );
  } catch (error) {
    shown.lastChild.textContent = error.message;
  }
}

function exporting(thread) {
  const field = (id, label, placeholder) => [h("label", { for: id }, label), h("input", { id, placeholder, autocomplete: "off", spellcheck: "false" })];
  const most = h("input", { id: "most", type: "number", min: 1, value: 200 });
  const shown = dialog(
    "Export the thread",
    h("p", {}, "One HTML file with everything in it. Nothing that the rules name is in the file."),
    h(
      "form",
      {
        method: "dialog",
        onsubmit: () => {
          const query = new URLSearchParams({ thread, most: most.value });
          for (const key of byId("keys").value.split(",").map((one) => one.trim()).filter(Boolean)) query.append("key", key);
          if (byId("pattern").value) query.append("pattern", byId("pattern").value);
          h("a", { href: `/api/export?${query}`, download: "thread.html" }).click();
        },
      },
      field("keys", "Without the values of these keys", "api_key, password, *token*"),
      field("pattern", "Without text that matches", "\\b\\d{16}\\b"),
      h("label", { for: "most" }, "Checkpoints at most"),
      most,
      h("button", { class: "primary" }, "Download"),
    ),
  );
  shown.querySelector("input").focus();
}

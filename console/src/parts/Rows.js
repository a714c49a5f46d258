// The first rows of a file as they were read, or its lines if it is no table.
import { html } from "../html.js";
import { strings } from "../strings.js";
import { Table } from "./Table.js";

/** roles: what columns are for, by their names. @param {{preview: import("../preview.js").Preview, roles: Map<string, string>}} props */
export function Rows({ preview, roles }) {
  if ("lines" in preview) return html`<pre tabindex="0">${preview.lines.join("\n")}</pre>`;
  const columns = preview.columns.map((name, index) => ({
    name: `${index}`,
    title: name,
    tag: roles.get(name),
    wide: true,
    cell: (/** @type {any} */ row) => html`<span class=${roles.has(name) ? "" : "muted"}>${row.cells[index]}</span>`,
  }));
  const rows = preview.rows.map((cells, index) => ({ cells, index }));
  return html`<div class="rows"><${Table} caption=${strings.new.firstRows} columns=${columns} rows=${rows} keyOf=${(/** @type {any} */ row) => row.index} /></div>`;
}

// A table that sorts by a column if asked. On a phone each row is a block, with the column's name over each value (style.css).
import { html } from "../html.js";
import { strings } from "../strings.js";

/**
 * @typedef {{name: string, title: string, cell: (row: any) => any, tag?: string, numeric?: boolean, sortable?: boolean, header?: boolean, wide?: boolean}} Column
 * tag: what the column is for. header: its cells name the row. wide: on a phone, a cell has a line of its own. sort: the sorted column's name, with a minus for the largest first; onSort gets the next one.
 * @param {{caption: string, columns: Column[], rows: any[], keyOf: (row: any) => string | number, sort?: string,
 *   onSort?: (sort: string) => void, rowClass?: (row: any) => string}} props
 */
export function Table({ caption, columns, rows, keyOf, sort = "", onSort, rowClass = () => "" }) {
  // A block is no table for a screen reader, so the roles are said.
  const descending = sort.startsWith("-");
  const by = sort.replace(/^-/, "");
  const values = columns.filter((column) => !column.header);
  const kind = columns.length === 2 && values.length === 1 ? "two" : values.every((column) => column.numeric) ? "numbers" : "";
  return html`
    <div class="table" role="group" aria-label=${caption} tabindex="0">
      <table role="table" class=${kind}>
        <caption class="hidden">${caption}</caption>
        <thead role="rowgroup" class=${onSort ? "" : "names"}>
          <tr role="row" data-sort-by=${strings.common.sortBy}>
            ${columns.map((column) => {
              const sorted = column.name === by ? (descending ? "descending" : "ascending") : undefined;
              return html`
                <th key=${column.name} scope="col" role="columnheader" class=${column.numeric ? "numeric" : ""} aria-sort=${sorted}>
                  ${column.sortable && onSort
                    ? html`<button type="button" class="sort" onClick=${() => onSort(sorted === "ascending" ? `-${column.name}` : column.name)}>
                        ${column.title}<span aria-hidden="true">${sorted ? (descending ? " ↓" : " ↑") : ""}</span>
                      </button>`
                    : html`${column.title} ${column.tag && html`<span class="tag role">${column.tag}</span>`}`}
                </th>
              `;
            })}
          </tr>
        </thead>
        <tbody role="rowgroup">
          ${rows.map(
            (row) => html`
              <tr key=${keyOf(row)} role="row" class=${rowClass(row)}>
                ${columns.map((column) =>
                  column.header
                    ? html`<th key=${column.name} scope="row" role="rowheader">${column.cell(row)}</th>`
                    : html`<td key=${column.name} role="cell" class=${`${column.numeric ? "numeric" : ""} ${column.wide ? "wide" : ""}`} data-column=${column.tag && column.tag !== column.title ? `${column.title} (${column.tag})` : column.title}>${column.cell(row)}</td>`,
                )}
              </tr>
            `,
          )}
        </tbody>
      </table>
      ${rows.length === 0 && html`<p class="muted empty-rows">${strings.common.nothing}</p>`}
    </div>
  `;
}

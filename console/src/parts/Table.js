// A table that scrolls by itself where the screen is narrow, and sorts by a column if asked.
import { html } from "../html.js";
import { strings } from "../strings.js";

/**
 * @typedef {{name: string, title: any, cell: (row: any) => any, numeric?: boolean, sortable?: boolean, header?: boolean}} Column
 * header: its cells name the row. sort: the sorted column's name, with a minus for the largest first; onSort gets the next one.
 * @param {{caption: string, columns: Column[], rows: any[], keyOf: (row: any) => string | number, sort?: string,
 *   onSort?: (sort: string) => void, rowClass?: (row: any) => string}} props
 */
export function Table({ caption, columns, rows, keyOf, sort = "", onSort, rowClass = () => "" }) {
  const descending = sort.startsWith("-");
  const by = sort.replace(/^-/, "");
  return html`
    <div class="table" role="group" aria-label=${caption} tabindex="0">
      <table>
        <caption class="hidden">${caption}</caption>
        <thead>
          <tr>
            ${columns.map((column) => {
              const sorted = column.name === by ? (descending ? "descending" : "ascending") : undefined;
              return html`
                <th key=${column.name} scope="col" class=${column.numeric ? "numeric" : ""} aria-sort=${sorted}>
                  ${column.sortable && onSort
                    ? html`<button type="button" class="sort" onClick=${() => onSort(sorted === "ascending" ? `-${column.name}` : column.name)}>
                        ${column.title}<span aria-hidden="true">${sorted ? (descending ? " ↓" : " ↑") : ""}</span>
                      </button>`
                    : column.title}
                </th>
              `;
            })}
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            (row) => html`
              <tr key=${keyOf(row)} class=${rowClass(row)}>
                ${columns.map((column) =>
                  column.header
                    ? html`<th key=${column.name} scope="row">${column.cell(row)}</th>`
                    : html`<td key=${column.name} class=${column.numeric ? "numeric" : ""}>${column.cell(row)}</td>`,
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

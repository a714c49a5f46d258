// The matrix of confusions, and its worst cells as a list. The list has the same links, so the keyboard needs no matrix.
import { html, useEffect, useMemo, useRef, useState } from "../html.js";
import { number, percent } from "../format.js";
import { strings } from "../strings.js";

/** @typedef {import("./confusions.js").Confusions} Confusions */

const words = strings.quality;
// Sizes of a cell in CSS pixels. Names and counts are only written where there is room.
const LARGEST = 46;
const SMALLEST = 3;
const WITH_NAMES = 13;
const WITH_COUNTS = 26;
const ZOOM = 1.5;

/**
 * labels: the rows and columns, in order. onPick: opens the texts of a cell.
 * @param {{confusions: Confusions, labels: string[], onPick: (truth: string, predicted: string) => void}} props
 */
export function ConfusionMatrix({ confusions, labels, onPick }) {
  const frame = useRef(/** @type {HTMLElement | null} */ (null));
  const width = useWidth(frame);
  const [zoom, setZoom] = useState(1);
  const [at, setAt] = useState(/** @type {{row: number, column: number} | null} */ (null));
  const cells = useMemo(() => cellsOf(confusions, labels), [confusions, labels]);

  const names = Math.min(150, width * 0.32);
  const roomy = clamp((width - names) / labels.length, SMALLEST, LARGEST);
  const fitting = roomy >= WITH_NAMES ? roomy : clamp(width / labels.length, SMALLEST, LARGEST);
  const cell = clamp(fitting * zoom, SMALLEST, LARGEST);
  const room = cell >= WITH_NAMES ? names : 0;
  const side = cell * labels.length;
  const letters = Math.floor((room - 8) / 7);

  // Drawn once, and not for each move of the pointer.
  const drawn = useMemo(() => cells.map((each) => drawnCell(each, cell)), [cells, cell]);

  /** The cell under the pointer. @param {PointerEvent | MouseEvent} event */
  const under = (event) => {
    const box = /** @type {SVGElement} */ (event.currentTarget).getBoundingClientRect();
    const [row, column] = [event.clientY - box.top, event.clientX - box.left].map((distance) => Math.floor(distance / cell));
    return row >= 0 && column >= 0 && row < labels.length && column < labels.length ? { row, column } : null;
  };
  const pick = (/** @type {MouseEvent} */ event) => {
    const found = under(event);
    if (found) onPick(labels[found.row], labels[found.column]);
  };
  return html`
    <div class="matrix" ref=${frame}>
      <div class="matrix-tools">
        <p class="small muted">${words.matrixHow}</p>
        <div class="actions">
          <button type="button" class="quiet" aria-label=${words.zoomOut} disabled=${zoom <= 1} onClick=${() => setZoom(Math.max(1, zoom / ZOOM))}>−</button>
          <button type="button" class="quiet" aria-label=${words.zoomIn} disabled=${cell >= LARGEST} onClick=${() => setZoom(zoom * ZOOM)}>+</button>
        </div>
      </div>
      ${width > 0 &&
      html`<div class="matrix-scroll" role="region" aria-label=${words.matrix} tabindex="0">
        <div class="matrix-grid" style=${{ gridTemplateColumns: `${room}px ${side}px`, gridTemplateRows: `${room}px ${side}px` }}>
          <div class="matrix-corner"></div>
          <svg class="matrix-columns" width=${side} height=${room} aria-hidden="true">
            ${room > 0 &&
            labels.map((label, place) => {
              const x = (place + 0.5) * cell;
              return html`<text key=${label} class=${at?.column === place ? "here" : ""} transform=${`translate(${x + 4} ${room - 6}) rotate(-90)`}>${cut(label, letters)}</text>`;
            })}
          </svg>
          <svg class="matrix-rows" width=${room} height=${side} aria-hidden="true">
            ${room > 0 &&
            labels.map(
              (label, place) =>
                html`<text key=${label} class=${at?.row === place ? "here" : ""} x=${room - 6} y=${(place + 0.5) * cell + 4} text-anchor="end">${cut(label, letters)}</text>`,
            )}
          </svg>
          <svg
            class="matrix-cells"
            width=${side}
            height=${side}
            role="img"
            aria-label=${words.matrixAlt(labels.length)}
            onPointerMove=${(/** @type {PointerEvent} */ event) => setAt(under(event))}
            onPointerLeave=${() => setAt(null)}
            onClick=${pick}
          >
            ${at &&
            html`<rect class="cross" x="0" y=${at.row * cell} width=${side} height=${cell} /><rect class="cross" x=${at.column * cell} y="0" width=${cell} height=${side} />`}
            ${drawn}
          </svg>
        </div>
      </div>`}
      <p class="matrix-readout small" aria-hidden="true">${at ? told(confusions, labels[at.row], labels[at.column]) : words.matrixPoint}</p>
    </div>
  `;
}

/**
 * The worst pairs, each a link to its texts.
 * @param {{confusions: Confusions, labels: Set<string>, most: number, addressOf: (truth: string, predicted: string) => string, onMore: () => void}} props
 */
export function Pairs({ confusions, labels, most, addressOf, onMore }) {
  const found = confusions.wrong.filter((cell) => labels.has(cell.truth) && labels.has(cell.predicted));
  const largest = found[0]?.count ?? 1;
  if (!found.length) return html`<p>${words.noPairs}</p>`;
  return html`<div>
    <ol class="pairs">
      ${found.slice(0, most).map(
        ({ truth, predicted, count, share }) => html`
          <li key=${`${truth}\n${predicted}`}>
            <a href=${addressOf(truth, predicted)}>
              <span class="pair"><bdi>${truth}</bdi> <span class="muted">${words.takenFor}</span> <bdi>${predicted}</bdi></span>
              <span class="pair-count">${words.ofTexts(count, confusions.support[truth])} <span class="muted">(${percent(share, 0)})</span></span>
              <svg class="pair-bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true"><rect width=${(count / largest) * 100} height="4" /></svg>
            </a>
          </li>
        `,
      )}
    </ol>
    ${found.length > most && html`<p><button type="button" class="link" onClick=${onMore}>${words.morePairs(found.length - most)}</button></p>`}
  </div>`;
}

/** The cells that aren't empty, by the places of their labels. @param {Confusions} confusions @param {string[]} labels */
function cellsOf({ wrong, right, support }, labels) {
  const place = new Map(labels.map((label, index) => [label, index]));
  const found = wrong.flatMap(({ truth, predicted, count, share }) => {
    const [row, column] = [place.get(truth), place.get(predicted)];
    return row === undefined || column === undefined ? [] : [{ row, column, count, share }];
  });
  const diagonal = labels.flatMap((label, index) =>
    right[label] ? [{ row: index, column: index, count: right[label], share: right[label] / support[label] }] : [],
  );
  return [...diagonal, ...found];
}

/** @param {{row: number, column: number, count: number, share: number}} found @param {number} cell its size */
function drawnCell({ row, column, count, share }, cell) {
  const right = row === column;
  const gap = cell >= WITH_NAMES ? 1 : 0;
  return html`<g key=${`${row} ${column}`}>
    <rect
      class=${right ? "cell right" : "cell wrong"}
      x=${column * cell + gap}
      y=${row * cell + gap}
      width=${cell - gap}
      height=${cell - gap}
      fill-opacity=${strength(share, right)}
    />
    ${cell >= WITH_COUNTS && html`<text class="count" x=${(column + 0.5) * cell} y=${(row + 0.5) * cell + 4} text-anchor="middle">${number(count)}</text>`}
  </g>`;
}

/** What a cell says. @param {Confusions} confusions @param {string} truth @param {string} predicted */
function told({ wrong, right, support }, truth, predicted) {
  const count = truth === predicted ? (right[truth] ?? 0) : (wrong.find((cell) => cell.truth === truth && cell.predicted === predicted)?.count ?? 0);
  return truth === predicted ? words.cellRight(truth, count, support[truth] ?? 0) : words.cellWrong(truth, predicted, count, support[truth] ?? 0);
}

/** How strong a cell's colour is: mistakes are visible from the first one. @param {number} share @param {boolean} right */
const strength = (share, right) => (right ? 0.12 + 0.5 * share : Math.min(1, 0.25 + 0.75 * Math.sqrt(share * 2)));

/** @param {string} text @param {number} letters */
const cut = (text, letters) => (text.length > letters ? `${text.slice(0, Math.max(1, letters - 1))}…` : text);

/** @param {number} value @param {number} least @param {number} most */
const clamp = (value, least, most) => Math.min(most, Math.max(least, value));

/** The width of an element, now and when it changes. @param {{current: HTMLElement | null}} element */
function useWidth(element) {
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const watcher = new ResizeObserver(([entry]) => setWidth(Math.floor(entry.contentRect.width)));
    if (element.current) watcher.observe(element.current);
    return () => watcher.disconnect();
  }, []);
  return width;
}

// Reliability and the learning curve of an evaluation, as figures with their numbers beside them.
import { html } from "../html.js";
import { inPercent, number, percent, wilson } from "../format.js";
import { Table } from "./Table.js";
import { strings } from "../strings.js";

const words = strings.quality;
// The drawing, in its own units. The page scales it.
const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [420, 260, 44, 12, 12, 34];
const across = (/** @type {number} */ share) => LEFT + share * (WIDTH - LEFT - RIGHT);
const up = (/** @type {number} */ share) => HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM);

/** @param {number} share */
const tickName = (share) => percent(share, Math.abs(share * 100 - Math.round(share * 100)) > 0.01 ? 1 : 0);

/** A frame with percentages on the left. @param {{label: string, from?: number, x: [number, string][], xTitle: string, children?: any}} props */
export function Plot({ label, from = 0, x, xTitle, children }) {
  const ticks = [0, 0.25, 0.5, 0.75, 1];
  return html`
    <svg class="plot" viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label=${label}>
      ${ticks.map(
        (tick) => html`
          <line key=${tick} class="grid" x1=${LEFT} x2=${WIDTH - RIGHT} y1=${up(tick)} y2=${up(tick)} />
          <text class="tick" x=${LEFT - 6} y=${up(tick) + 4} text-anchor="end">${tickName(from + tick * (1 - from))}</text>
        `,
      )}
      ${x.map(([place, name]) => html`<text key=${place} class="tick" x=${across(place)} y=${HEIGHT - BOTTOM + 15} text-anchor="middle">${name}</text>`)}
      <text class="tick" x=${across(0.5)} y=${HEIGHT - 3} text-anchor="middle">${xTitle}</text>
      ${children}
    </svg>
  `;
}

/** How often answers are right at each confidence. @param {{calibration: any}} props */
export function Reliability({ calibration }) {
  const bins = calibration.after.bins.filter((/** @type {any} */ bin) => bin.count > 0);
  const before = calibration.before.bins.filter((/** @type {any} */ bin) => bin.count > 0);
  const largest = Math.max(1, ...bins.map((/** @type {any} */ bin) => bin.count));
  const line = bins.map((/** @type {any} */ bin) => `${across(bin.confidence)},${up(bin.accuracy)}`).join(" ");
  const columns = [
    { name: "scores", title: words.scores, header: true, cell: (/** @type {any} */ bin) => `${percent(bin.from, 0)} – ${percent(bin.to, 0)}` },
    { name: "count", title: words.answers, numeric: true, cell: (/** @type {any} */ bin) => number(bin.count) },
    { name: "confidence", title: words.meanScore, numeric: true, cell: (/** @type {any} */ bin) => percent(bin.confidence) },
    { name: "accuracy", title: words.rightShare, numeric: true, cell: (/** @type {any} */ bin) => percent(bin.accuracy) },
  ];
  return html`
    <figure>
      <${Plot} label=${words.reliabilityAlt} x=${[0, 0.25, 0.5, 0.75, 1].map((share) => [share, percent(share, 0)])} xTitle=${words.score}>
        ${bins.map(
          (/** @type {any} */ bin) =>
            html`<rect key=${bin.from} class="amount" x=${across(bin.from) + 1} y=${up((bin.count / largest) * 0.25)} width=${across(0.1) - across(0) - 2} height=${up(0) - up((bin.count / largest) * 0.25)} />`,
        )}
        <line class="ideal" x1=${across(0)} y1=${up(0)} x2=${across(1)} y2=${up(1)} />
        ${before.map((/** @type {any} */ bin) => html`<circle key=${bin.from} class="before" cx=${across(bin.confidence)} cy=${up(bin.accuracy)} r="3" />`)}
        <polyline class="curve" points=${line} />
        ${bins.map((/** @type {any} */ bin) => {
          const { low, high } = wilson(bin.accuracy, bin.count);
          return html`<g key=${bin.from}>
            <line class="whisker" x1=${across(bin.confidence)} x2=${across(bin.confidence)} y1=${up(low)} y2=${up(high)} />
            <circle class="point" cx=${across(bin.confidence)} cy=${up(bin.accuracy)} r="4" />
          </g>`;
        })}
      <//>
      <figcaption class="small muted">${words.reliabilityHow}</figcaption>
      <details>
        <summary>${words.asTable}</summary>
        <${Table} caption=${words.reliability} columns=${columns} rows=${bins} keyOf=${(/** @type {any} */ bin) => bin.from} />
      </details>
    </figure>
  `;
}

/** How accuracy grows with the number of learnt examples. @param {{curve: {points: any[], conclusion: string}}} props */
export function LearningCurve({ curve: { points, conclusion } }) {
  const most = points[points.length - 1].examples;
  // The axis begins below the lowest interval, so that the growth is visible.
  const from = Math.floor(Math.min(...points.map((point) => point.interval[0])) * 10) / 10;
  const place = (/** @type {number} */ share) => up(from < 1 ? (share - from) / (1 - from) : 1);
  const x = /** @type {[number, string][]} */ (points.map((point) => [point.examples / most, number(point.examples)]));
  // The first numbers stand close together.
  const shown = x.filter(([share], index) => index === x.length - 1 || x[index + 1][0] - share > 0.1);
  return html`
    <figure>
      <${Plot} label=${words.learningAlt(points.map((point) => words.learningPoint(point.examples, point.accuracy)).join(", "))} from=${from} x=${shown} xTitle=${words.learntExamples}>
        <polyline class="curve" points=${points.map((point) => `${across(point.examples / most)},${place(point.accuracy)}`).join(" ")} />
        ${points.map(
          (point) => html`
            <g key=${point.examples}>
              <line class="whisker" x1=${across(point.examples / most)} x2=${across(point.examples / most)} y1=${place(point.interval[0])} y2=${place(point.interval[1])} />
              <circle class="point" cx=${across(point.examples / most)} cy=${place(point.accuracy)} r="4" />
            </g>
          `,
        )}
      <//>
      <figcaption><strong>${inPercent(conclusion)}</strong></figcaption>
    </figure>
  `;
}

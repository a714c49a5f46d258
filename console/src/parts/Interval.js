// A share with its 95 % interval: the number, and a line that shows how sure it is.
import { html } from "../html.js";
import { percent, wilson } from "../format.js";
import { strings } from "../strings.js";

/**
 * Give the interval (low and high) that the API states, or the number of examples, from which it follows.
 * @param {{share: number, n?: number, low?: number, high?: number, digits?: number, compact?: boolean}} props
 */
export function Interval({ share, n, low, high, digits = 1, compact = false }) {
  const range = low !== undefined && high !== undefined ? { low, high } : n ? wilson(share, n) : null;
  if (!range) return html`<span class="interval"><b>${percent(share, digits)}</b></span>`;
  const words = strings.common.interval(percent(range.low, digits), percent(range.high, digits));
  return html`
    <span class="interval" title=${words}>
      <b>${percent(share, digits)}</b>
      <svg class="interval-line" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true" focusable="false">
        <line class="rail" x1="0" x2="100" y1="5" y2="5" />
        <line class="range" x1=${range.low * 100} x2=${range.high * 100} y1="5" y2="5" />
      </svg>
      ${compact
        ? html`<span class="muted small" aria-hidden="true">${percent(range.low, digits).replace(" %", "")}–${percent(range.high, digits)}</span><span class="hidden">${words}</span>`
        : html`<span class="muted">${words}</span>`}
    </span>
  `;
}

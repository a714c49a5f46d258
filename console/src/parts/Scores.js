// The labels of a text with their scores, best first.
import { html } from "../html.js";
import { percent } from "../format.js";
import { strings } from "../strings.js";

/** @param {{labels: {label: string, score: number, accepted?: boolean}[]}} props */
export function Scores({ labels }) {
  return html`
    <ol class="bars scores">
      ${labels.map(
        ({ label, score, accepted }) => html`
          <li key=${label}>
            <span>${label} ${accepted && html`<span class="status ready">${strings.explained.accepted}</span>`}</span>
            <span class="numeric">${percent(score)}</span>
            <svg class=${accepted ? "" : "faint"} viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true"><rect width=${score * 100} height="4" /></svg>
          </li>
        `,
      )}
    </ol>
  `;
}

// Why a text has its first label: the text, its words marked by what each adds.
import { html } from "../html.js";
import { strings } from "../strings.js";

const LEAST_SHARE = 0.1;

/** @param {{text: string, explanation: any}} props */
export function Explained({ text, explanation }) {
  const most = Math.max(...explanation.words.map((/** @type {any} */ word) => Math.abs(word.contribution)), 1e-9);
  // Words that hardly count would hide those that do.
  const placed = explanation.words.filter((/** @type {any} */ word) => word.start !== null && Math.abs(word.contribution) >= LEAST_SHARE * most);
  // Positions count code points, not UTF-16 units.
  const points = [...text];
  /** @type {any[]} */
  const pieces = [];
  let at = 0;
  for (const word of [...placed].sort((a, b) => a.start - b.start)) {
    if (word.start < at) continue;
    pieces.push(points.slice(at, word.start).join(""));
    const strength = Math.ceil((4 * Math.abs(word.contribution)) / most);
    const shown = points.slice(word.start, word.end).join("");
    const title = strings.explained.adds(word.contribution);
    pieces.push(html`<mark class=${`${word.contribution > 0 ? "for" : "against"} s${strength}`} title=${title}>${shown}</mark>`);
    at = word.end;
  }
  pieces.push(points.slice(at).join(""));
  const strongest = [...placed].sort((a, b) => b.contribution - a.contribution).slice(0, 5).filter((word) => word.contribution > 0);
  return html`
    <p class="explained">${pieces}</p>
    <p class="muted small">
      ${strings.explained.legend(explanation.label)}
      ${strongest.length > 0 && ` ${strings.explained.strongest(strongest.map((word) => word.word).join(", "))}`}
      ${explanation.untried_words > 0 && ` ${strings.explained.untried(explanation.untried_words)}`}
    </p>
  `;
}

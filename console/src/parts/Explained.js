// Why a text has its first label: the text, its words marked by what each adds.
import { html } from "../html.js";
import { strings } from "../strings.js";
import { marked } from "./Explanation.js";

const LEAST_SHARE = 0.1;

/** @param {{text: string, explanation: any}} props */
export function Explained({ text, explanation }) {
  const most = Math.max(...explanation.words.map((/** @type {any} */ word) => Math.abs(word.contribution)), 1e-9);
  // Words that hardly count would hide those that do.
  const placed = explanation.words.filter((/** @type {any} */ word) => word.start !== null && Math.abs(word.contribution) >= LEAST_SHARE * most);
  const pieces = marked(text, placed).map((part, place) =>
    part.mark ? html`<mark key=${place} class=${part.mark} title=${strings.explained.adds(part.adds ?? 0)}>${part.text}</mark>` : part.text,
  );
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

// A text with the words that led to its label.
import { html, useEffect, useState } from "../html.js";
import { strings } from "../strings.js";

const words = strings.errors;
// Somebody who goes through a list by keys asks for no explanation of each text.
const PAUSE = 300;
const LEVELS = 3;

/** What was asked already. @type {Map<string, any>} */
const known = new Map();

/**
 * learnt: whether the version has learnt the text since it was tested on it.
 * @param {{api: import("../api.js").Api, model: string, version: number, text: string, learnt: boolean}} props
 */
export function Explanation({ api, model, version, text, learnt }) {
  const asked = JSON.stringify([model, version, text]);
  const [found, setFound] = useState(known.get(asked) ?? null);
  useEffect(() => {
    setFound(known.get(asked) ?? null);
    if (known.has(asked)) return;
    const aborter = new AbortController();
    const timer = setTimeout(
      () =>
        api.call("POST", "prediction", { body: { model_id: model, version, text, n_top: 1, explain: true }, signal: aborter.signal }).then(
          ({ body }) => {
            known.set(asked, body.explanation);
            setFound(body.explanation);
          },
          (error) => {
            if (!aborter.signal.aborted) setFound({ failed: error.detail || words.notExplained });
          },
        ),
      PAUSE,
    );
    return () => {
      clearTimeout(timer);
      aborter.abort();
    };
  }, [asked]);

  if (!found) return html`<p class="example-text" dir="auto">${text}</p>`;
  if (found.failed) return html`<p class="example-text" dir="auto">${text}</p><p class="small muted">${found.failed}</p>`;
  return html`
    <p class="example-text" dir="auto">${marked(text, found.words).map((part, place) => (part.mark ? html`<mark key=${place} class=${part.mark}>${part.text}</mark>` : part.text))}</p>
    <p class="small muted">${learnt ? words.nowSays : words.itSays} <bdi>${found.label}</bdi>. ${strings.explained.legend(found.label)} ${found.untried_words ? words.untried(found.untried_words) : ""}</p>
  `;
}

/**
 * The text in parts; those that matter have a mark, such as "for-3" or "against-1".
 * @param {string} text @param {{start: number, end: number, contribution: number}[]} explained with places in code points
 * @returns {{text: string, mark: string | null, adds?: number}[]} adds: what the word contributes
 */
export function marked(text, explained) {
  const letters = [...text];
  const largest = Math.max(...explained.map((word) => Math.abs(word.contribution)), 1e-9);
  const parts = [];
  let end = 0;
  for (const word of [...explained].sort((a, b) => a.start - b.start)) {
    const level = Math.round((Math.abs(word.contribution) / largest) * LEVELS);
    if (!level || word.start < end) continue;
    parts.push({ text: letters.slice(end, word.start).join(""), mark: null });
    parts.push({ text: letters.slice(word.start, word.end).join(""), mark: `${word.contribution > 0 ? "for" : "against"}-${level}`, adds: word.contribution });
    end = word.end;
  }
  parts.push({ text: letters.slice(end).join(""), mark: null });
  return parts.filter((part) => part.text);
}

// What a dry run or a training says about a data set.
import { html } from "../html.js";
import { count, number } from "../format.js";
import { strings } from "../strings.js";

const words = strings.new;

/** The report on a data set in words, errors first. @param {{report: any}} props */
export function Report({ report }) {
  const refusing = report.problems.filter((/** @type {any} */ problem) => problem.refuses);
  const others = report.problems.filter((/** @type {any} */ problem) => !problem.refuses);
  return html`
    <section aria-labelledby="report">
      <h2 id="report">${words.report}</h2>
      <div class=${report.trainable ? "notice good" : "problem"} role="status">
        <p><b>${report.trainable ? words.trainable : words.notTrainable}</b></p>
        ${report.examples > 0 && html`<p>${words.summary(report)}</p>`}
      </div>
      ${refusing.length > 0 && html`<h3>${words.mustFix}</h3>`}
      <${Problems} problems=${refusing} open />
      ${others.length > 0 && html`<h3>${words.mayLook}</h3>`}
      <${Problems} problems=${others} />
      ${report.labels.length > 0 && html`<${Labels} labels=${report.labels} />`}
    </section>
  `;
}

/** @param {{problems: any[], open?: boolean}} props */
function Problems({ problems, open = false }) {
  return problems.map(
    (problem) => html`
      <details key=${problem.kind} class="card finding" open=${open}>
        <summary><b>${/** @type {Record<string, string>} */ (words.kinds)[problem.kind] ?? problem.kind}</b> · ${count(problem.count, "time")}</summary>
        <p>${problem.sentence}</p>
        <ul>
          ${problem.rows.map(
            (/** @type {any} */ row, /** @type {number} */ index) =>
              html`<li key=${index}>${row.labels ? row.labels.join(", ") : words.row(row)}</li>`,
          )}
        </ul>
        ${problem.count > problem.rows.length && html`<p class="muted">${words.moreRows(problem.count - problem.rows.length)}</p>`}
      </details>
    `,
  );
}

/** @param {{labels: any[]}} props */
function Labels({ labels }) {
  const most = Math.max(...labels.map((label) => label.examples), 1);
  const sorted = [...labels].sort((a, b) => b.examples - a.examples || a.label.localeCompare(b.label));
  return html`
    <details>
      <summary>${words.labelsOf(labels.length)}</summary>
      <ul class="bars">
        ${sorted.map(
          ({ label, examples, description }) => html`
            <li key=${label}>
              <span>${label}${description && html` <span class="muted">${description}</span>`}</span>
              <span class="numeric">${number(examples)}</span>
              <svg viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true"><rect width=${(100 * examples) / most} height="4" /></svg>
            </li>
          `,
        )}
      </ul>
    </details>
  `;
}

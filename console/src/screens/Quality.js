// Screen 4: how good a version is, where it errs, and what it should accept.
import { html, useMemo, useState } from "../html.js";
import { number, percent } from "../format.js";
import { LearningCurve, Reliability } from "../parts/Charts.js";
import { ConfusionMatrix, Pairs } from "../parts/ConfusionMatrix.js";
import { Dial } from "../parts/Dial.js";
import { Field } from "../parts/Field.js";
import { Interval } from "../parts/Interval.js";
import { Loading } from "../parts/Loading.js";
import { ModelNav } from "../parts/ModelNav.js";
import { Page } from "../parts/Page.js";
import { Problem } from "../parts/Problem.js";
import { Table } from "../parts/Table.js";
import { VersionChoice, useVersions } from "../parts/VersionChoice.js";
import { confusionsOf, inOrder, matching } from "../parts/confusions.js";
import { useLoad } from "../parts/useLoad.js";
import { go, link, setQuery } from "../router.js";
import { strings } from "../strings.js";

const words = strings.quality;
const PAIRS = 20;

/** @param {{api: import("../api.js").Api, params: any}} props */
export function Quality({ api, params: { model, version, query } }) {
  const path = `models/${encodeURIComponent(model)}`;
  const loaded = useLoad(
    async (signal) => {
      const [found, evaluation] = await Promise.all([
        api.get(path, {}, signal),
        api.get(`${path}/versions/${encodeURIComponent(version)}/evaluation`, {}, signal).catch((error) => {
          // A version of label names alone was not measured: this is no failure.
          if (error.kind === "not-measured") return { missing: error.detail };
          throw error;
        }),
      ]);
      return { live: found.live_version, title: found.title, evaluation };
    },
    [model, version],
  );
  const versions = useVersions(api, model);
  const live = loaded.value?.live ?? null;
  const evaluation = loaded.value?.evaluation;
  const measured = evaluation && !evaluation.missing;
  const actions = html`
    <${VersionChoice} versions=${versions.value} version=${Number(version)} addressOf=${(/** @type {number} */ number) => link(["models", model, "versions", number, "quality"])} />
    ${measured && html`<a class="button primary" href=${link(["models", model, "versions", version, "errors"])}>${words.seeErrors}</a>`}
  `;
  return html`
    <${Page} title=${words.title(model)} lead=${words.lead(version, live === Number(version))} actions=${actions}>
      <${ModelNav} api=${api} model=${model} version=${version} here="quality" />
      <${Problem} error=${loaded.problem} onRetry=${loaded.reload} />
      ${!loaded.value && loaded.loading && html`<${Loading} />`}
      ${evaluation?.missing && html`<p class="notice">${evaluation.missing}</p>`}
      ${measured && html`<${Measured} api=${api} model=${model} version=${Number(version)} live=${live} evaluation=${evaluation} query=${query} />`}
    <//>
  `;
}

/** @param {{api: import("../api.js").Api, model: string, version: number, live: number | null, evaluation: any, query: Record<string, string>}} props */
function Measured({ api, model, version, live, evaluation, query }) {
  const confusions = useMemo(() => confusionsOf(evaluation), [evaluation]);
  const find = query.find ?? "";
  const addressOf = (/** @type {string} */ truth, /** @type {string} */ predicted) =>
    link(["models", model, "versions", version, "errors"], truth === predicted ? { label: truth, predicted, view: "all" } : { label: truth, predicted });
  return html`
    <${Headline} evaluation=${evaluation} />
    ${confusions && html`<${Confused} confusions=${confusions} find=${find} addressOf=${addressOf} />`}
    <section>
      <h2>${words.labels}</h2>
      ${!confusions && html`<p class="muted">${words.noMatrix}</p>`}
      ${!confusions && Object.keys(evaluation.per_label).length > 12 && html`<${Find} find=${find} />`}
      <div class="tall"><${Labels} model=${model} version=${version} evaluation=${evaluation} find=${find} sort=${query.sort ?? "f1"} /></div>
    </section>
    <section>
      <h2>${words.dial}</h2>
      <p class="lead">${words.dialLead}</p>
      <${Dial} api=${api} model=${model} version=${version} live=${live} />
    </section>
    <div class="halves">
      <section>
        <h2>${words.reliability}</h2>
        <p class="muted">${words.reliabilityLead(evaluation.calibration.after.ece)}</p>
        <${Reliability} calibration=${evaluation.calibration} />
      </section>
      <section>
        <h2>${words.learning}</h2>
        <p class="muted">${words.learningLead}</p>
        ${evaluation.learning_curve ? html`<${LearningCurve} curve=${evaluation.learning_curve} />` : html`<p>${words.noLearning}</p>`}
      </section>
    </div>
  `;
}

/** @param {{evaluation: any}} props */
function Headline({ evaluation }) {
  const { accuracy, intervals, examples } = evaluation;
  return html`
    <div class="card headline">
      <div>
        <p class="muted small">${words.accuracy}</p>
        <p class="figure huge">${percent(accuracy)}</p>
        <${Interval} share=${accuracy} low=${intervals.accuracy[0]} high=${intervals.accuracy[1]} />
        <p class="muted small">${evaluation.measured_how ?? words.measuredOn(examples)}</p>
      </div>
      <dl>
        <div><dt>${words.accepted}</dt><dd>${evaluation.accepted_share === undefined ? "–" : percent(evaluation.accepted_share)}</dd></div>
        <div><dt>${words.macroF1}</dt><dd>${percent(evaluation.macro_f1)} <span class="muted small">${words.range(intervals.macro_f1[0], intervals.macro_f1[1])}</span></dd></div>
        <div><dt>${words.mistakes}</dt><dd>${words.ofTexts(Math.round((1 - accuracy) * examples), examples)}</dd></div>
        ${evaluation.strangers &&
        html`<div><dt>${words.strangers}</dt><dd>${percent(1 - evaluation.strangers.let_through, 0)} <span class="muted small">${words.ofStrangers(evaluation.strangers.texts)}</span></dd></div>`}
      </dl>
    </div>
    ${(evaluation.warnings ?? []).map((/** @type {string} */ warning) => html`<p key=${warning} class="notice">${warning}</p>`)}
  `;
}

/** @param {{confusions: import("../parts/confusions.js").Confusions, find: string, addressOf: (truth: string, predicted: string) => string}} props */
function Confused({ confusions, find, addressOf }) {
  const [most, setMost] = useState(PAIRS);
  const order = useMemo(() => inOrder(confusions), [confusions]);
  const shown = useMemo(() => matching(confusions, find), [confusions, find]);
  const labels = useMemo(() => order.filter((label) => shown.has(label)), [order, shown]);
  return html`
    <section>
      <h2>${words.confused}</h2>
      <p class="muted">${words.confusedLead(confusions.missing)}</p>
      ${confusions.labels.length > 12 && html`<${Find} find=${find} />`}
      <div class="confused">
        <${Pairs} confusions=${confusions} labels=${shown} most=${most} addressOf=${addressOf} onMore=${() => setMost(most + 100)} />
        ${labels.length
          ? html`<${ConfusionMatrix} confusions=${confusions} labels=${labels} onPick=${(/** @type {string} */ truth, /** @type {string} */ predicted) => go(addressOf(truth, predicted))} />`
          : html`<p>${words.noLabel}</p>`}
      </div>
    </section>
  `;
}

/** @param {{find: string}} props */
function Find({ find }) {
  return html`<div class="narrow">
    <${Field} label=${words.find}>
      <input type="search" value=${find} onInput=${(/** @type {any} */ event) => setQuery({ find: event.target.value })} />
    <//>
  </div>`;
}

/** @param {{model: string, version: number, evaluation: any, find: string, sort: string}} props */
function Labels({ model, version, evaluation, find, sort }) {
  const asked = find.trim().toLocaleLowerCase();
  const rows = Object.entries(evaluation.per_label)
    .map(([label, measures]) => ({ label, .../** @type {any} */ (measures) }))
    .filter(({ label }) => label.toLocaleLowerCase().includes(asked));
  const by = sort.replace(/^-/, "");
  const sign = sort.startsWith("-") ? -1 : 1;
  rows.sort((one, other) => sign * (by === "label" ? one.label.localeCompare(other.label) : one[by] - other[by]) || one.label.localeCompare(other.label));
  const share = (/** @type {"precision" | "recall" | "f1"} */ name) => ({
    name,
    title: words[name],
    numeric: true,
    sortable: true,
    cell: (/** @type {any} */ row) => percent(row[name], 0),
  });
  const columns = [
    {
      name: "label",
      title: words.label,
      header: true,
      sortable: true,
      cell: (/** @type {any} */ row) => html`<a href=${link(["models", model, "versions", version, "errors"], { label: row.label })}><bdi title=${row.label}>${row.label}</bdi></a>`,
    },
    { name: "support", title: words.support, numeric: true, sortable: true, cell: (/** @type {any} */ row) => number(row.support) },
    {
      name: "recall",
      title: words.recall,
      sortable: true,
      cell: (/** @type {any} */ row) => (row.support ? html`<${Interval} share=${row.recall} n=${row.support} digits=${0} compact />` : "–"),
    },
    share("precision"),
    share("f1"),
  ];
  return html`<${Table} caption=${words.labels} columns=${columns} rows=${rows} keyOf=${(/** @type {any} */ row) => row.label} sort=${sort} onSort=${(/** @type {string} */ next) => setQuery({ sort: next })} />`;
}

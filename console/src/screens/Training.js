// Screen 3: a model and one of its versions: the training while it runs, and what came out of it.
import { html, useState } from "../html.js";
import { inPercent, moment, number, percent } from "../format.js";
import { Confirm } from "../parts/Dialog.js";
import { Interval } from "../parts/Interval.js";
import { Loading } from "../parts/Loading.js";
import { ModelNav } from "../parts/ModelNav.js";
import { Page } from "../parts/Page.js";
import { Problem } from "../parts/Problem.js";
import { Progress } from "../parts/Progress.js";
import { Report } from "../parts/Report.js";
import { Status } from "../parts/Status.js";
import { Table } from "../parts/Table.js";
import { trainPending } from "../parts/pending.js";
import { useDeed } from "../parts/useDeed.js";
import { useLoad } from "../parts/useLoad.js";
import { link } from "../router.js";
import { strings } from "../strings.js";

const words = strings.training;
const UNDER_WAY = ["queued", "training", "evaluating"];
const underWay = (/** @type {any} */ version) => Boolean(version) && UNDER_WAY.includes(version.status);

/** @param {{api: import("../api.js").Api, params: any}} props */
export function Training({ api, params }) {
  const path = `models/${encodeURIComponent(params.model)}`;
  // The list of the versions may be late: the model's own version is shown without it.
  const [versions, setVersions] = useState(/** @type {any[]} */ ([]));
  const [unlisted, setUnlisted] = useState(/** @type {any} */ (null));
  const load = async (/** @type {AbortSignal} */ signal) => {
    const listing = api.get(`${path}/versions`, { limit: 100 }).then(({ versions }) => versions);
    listing.then(setVersions, () => {});
    const { body: model, etag } = await api.call("GET", path, { signal });
    listing.then(() => setUnlisted(null), setUnlisted);
    // Without a number in the address: the training that runs, or else the version that answers.
    const wanted = Number(params.version) || (underWay(model.version) ? model.version.version : (model.live_version ?? model.version?.version));
    if (model.version?.version === wanted) return { model, etag, version: model.version };
    const listed = (await listing).find((/** @type {any} */ version) => version.version === wanted);
    const version = listed ?? (wanted ? await api.get(`${path}/versions/${wanted}`, {}, signal) : null);
    return { model, etag, version };
  };
  const { value, problem, reload } = useLoad(load, [path, params.version], { every: ({ version, model }) => (underWay(version) || underWay(model.version) ? 2 : null) });

  if (!value) {
    return html`<${Page} title=${params.model}>
      ${problem ? html`<${Problem} error=${problem} onReload=${reload} />` : params.version ? html`<${Asking} version=${params.version} />` : html`<${Loading} />`}
    <//>`;
  }
  const { model, version, etag } = value;
  const shown = version?.status === "ready" ? version.version : model.live_version;
  return html`
    <${Page} title=${model.title ?? model.model_id} lead=${model.live_version ? words.answering(model.live_version) : ""}>
      <${ModelNav} api=${api} model=${model.model_id} version=${shown} here="overview" />
      <${Problem} error=${problem ?? unlisted} onReload=${reload} />
      ${version ? html`<${Shown} key=${version.version} api=${api} model=${model} version=${version} etag=${etag} onChange=${reload} />` : html`<p>${words.noVersions}</p>`}
      ${model.waiting_examples > 0 && html`<${Pending} api=${api} model=${model} versions=${versions} onChange=${reload} />`}
      ${versions.length > 0 && html`<${Versions} model=${model} versions=${versions} shown=${version?.version} />`}
    <//>
  `;
}

/** What the address says, until the API has said more. @param {{version: string}} props */
function Asking({ version }) {
  return html`
    <section aria-labelledby="version">
      <h2 id="version">${words.version(version)}</h2>
      <div class="card">
        <${Loading} what=${words.asking} />
        <p class="muted">${words.goesOn}</p>
      </div>
    </section>
  `;
}

/** Feedback that waits, and the button that trains with it. @param {{api: import("../api.js").Api, model: any, versions: any[], onChange: () => void}} props */
function Pending({ api, model, versions, onChange }) {
  const { busy, problem, run } = useDeed(onChange);
  const base = versions.find((it) => it.version === model.live_version);
  return html`
    <div class="notice">
      <p>${words.pending(model.waiting_examples)}${model.scheduled_for && ` ${words.scheduled(moment(model.scheduled_for))}`}</p>
      ${api.mayEdit &&
      !underWay(model.version) &&
      html`<p class="actions"><button type="button" disabled=${busy} onClick=${() => run(() => trainPending(api, model.model_id))}>${strings.outcome.train(model.waiting_examples)}</button></p>
        <p class="small muted">${base?.promote === "never" ? strings.outcome.staysBack : strings.outcome.goesLive}</p>`}
    </div>
    <${Problem} error=${problem} />
  `;
}

/** @param {{api: import("../api.js").Api, model: any, version: any, etag: string | null, onChange: () => void}} props */
function Shown({ api, model, version, etag, onChange }) {
  return html`
    <section aria-labelledby="version">
      <h2 id="version" class="with-status">${words.version(version.version)} <${Status} status=${version.live ? "live" : version.status} /></h2>
      ${version.note && html`<p class="muted">${version.note}</p>`}
      ${underWay(version) && html`<${Running} api=${api} model=${model} version=${version} etag=${etag} onChange=${onChange} />`}
      ${version.status === "ready" && html`<${Ready} model=${model} version=${version} />`}
      ${version.status === "failed" && html`<${Failed} api=${api} model=${model} version=${version} />`}
      ${version.status === "cancelled" && html`<p>${words.cancelled}.</p>`}
      ${version.selection && html`<${Selection} selection=${version.selection} chosen=${version.recipe} />`}
    </section>
  `;
}

/** @param {{api: import("../api.js").Api, model: any, version: any, etag: string | null, onChange: () => void}} props */
function Running({ api, model, version, etag, onChange }) {
  const [asking, setAsking] = useState(false);
  const { busy, problem, run, reload } = useDeed(onChange);
  const { stage, percent, eta_seconds: left } = version.progress;
  const cancel = async () => {
    await run(() => api.call("POST", `models/${encodeURIComponent(model.model_id)}/versions/${version.version}/cancel`, { ifMatch: etag }));
    setAsking(false);
  };
  return html`
    <div class="card">
      <p aria-live="polite"><b>${/** @type {Record<string, string>} */ (words.stages)[stage] ?? stage} …</b></p>
      <${Progress} label=${words.progress} percent=${stage === "queued" ? null : percent} />
      <p class="muted">
        ${left !== null && left > 0 && `${words.left(left, stage)} `}${version.recipe === "auto" && `${words.auto} `}${words.goesOn}
      </p>
      <${Problem} error=${problem} onReload=${reload} api=${api} model=${model.model_id} />
      ${api.mayEdit && html`<p class="actions"><button type="button" onClick=${() => setAsking(true)}>${words.cancel}</button></p>`}
      ${asking &&
      html`<${Confirm}
        title=${words.cancelTitle}
        text=${words.cancelText(version.version)}
        yes=${words.cancelYes}
        no=${words.cancelNo}
        danger
        busy=${busy}
        onYes=${cancel}
        onNo=${() => setAsking(false)}
      />`}
    </div>
  `;
}

/** @param {{model: any, version: any}} props */
function Ready({ model, version }) {
  const { evaluation, dataset, gate } = version;
  const measured = /** @type {Record<string, (n: number) => string>} */ (words.measured);
  const warnings = [...version.warnings, ...(evaluation?.warnings ?? [])];
  const at = (/** @type {(string | number)[]} */ ...rest) => link(["models", model.model_id, ...rest]);
  return html`
    <div class="cards">
      <div class="card">
        <div class="muted">${words.accuracy}</div>
        ${evaluation
          ? html`<div class="figure"><${Interval} share=${evaluation.accuracy} n=${evaluation.examples} /></div>
              <div class="muted small">${(measured[evaluation.measured_by] ?? measured.undefined)(evaluation.examples)}</div>`
          : html`<p>${words.neverMeasured}</p>`}
      </div>
      ${evaluation?.accepted_share !== undefined &&
      html`<div class="card">
        <div class="muted">${words.accepted}</div>
        <div class="figure">${percent(evaluation.accepted_share, 0)}</div>
        <div class="muted small">${words.acceptedHint}</div>
      </div>`}
      ${dataset.examples !== undefined &&
      html`<div class="card">
        <div class="muted">${words.examples}</div>
        <div class="figure">${number(dataset.examples)}</div>
        <div class="muted small">${words.labels(dataset.labels)}</div>
      </div>`}
    </div>
    ${version.trained_on === "fargate" && html`<p class="muted">${words.inContainer}</p>`}
    ${gate && html`<p class=${gate.passed ? "notice good" : "notice"}><b>${words.gate}:</b> ${inPercent(gate.reason)}</p>`}
    ${warnings.length > 0 &&
    html`<div class="notice">
      <p><b>${words.warnings}</b></p>
      ${warnings.map((warning) => html`<p key=${warning}>${warning}</p>`)}
    </div>`}
    <p class="actions">
      ${!version.live && model.live_version && html`<a class="button primary" href=${link(["models", model.model_id, "compare"], { to: version.version })}>${words.compare}</a>`}
      <a class=${version.live || !model.live_version ? "button primary" : "button"} href=${at("versions", version.version, "quality")}>${words.see}</a>
      <a class="button" href=${at("try")}>${words.try}</a>
    </p>
  `;
}

/** @param {{api: import("../api.js").Api, model: any, version: any}} props */
function Failed({ api, model, version }) {
  // There is none if the file was not readable.
  const { value } = useLoad((signal) => api.get(`models/${encodeURIComponent(model.model_id)}/versions/${version.version}/report`, {}, signal), []);
  return html`
    <div class="problem" role="alert">
      <p class="problem-title">${words.failed}</p>
      <p>${version.error}</p>
      ${api.mayEdit && html`<p class="actions"><a class="button" href=${link(["new"])}>${words.again}</a></p>`}
    </div>
    ${value?.report && html`<details><summary>${words.failedReport}</summary><${Report} report=${value.report} /></details>`}
  `;
}

/** @param {{selection: any, chosen: string}} props */
function Selection({ selection, chosen }) {
  const columns = [
    { name: "recipe", title: words.recipe, header: true, cell: (/** @type {any} */ it) => html`${it.recipe === chosen ? html`<b>${it.recipe}</b>` : it.recipe}` },
    { name: "score", title: words.score, numeric: true, cell: (/** @type {any} */ it) => (it.failed ? html`<span class="reason">${words.didNotTrain(it.failed)}</span>` : it.score === null ? "–" : percent(it.score)) },
    { name: "seconds", title: words.seconds, numeric: true, cell: (/** @type {any} */ it) => (it.failed ? "–" : it.seconds.toFixed(1)) },
  ];
  return html`
    <details>
      <summary>${words.choice}</summary>
      <p>${selection.reason}</p>
      <${Table} caption=${words.choice} columns=${columns} rows=${selection.candidates} keyOf=${(/** @type {any} */ it) => it.recipe} />
    </details>
  `;
}

/** @param {{model: any, versions: any[], shown: number | undefined}} props */
function Versions({ model, versions, shown }) {
  const columns = [
    {
      name: "version",
      title: words.column,
      header: true,
      cell: (/** @type {any} */ it) => html`<a href=${link(["models", model.model_id, "versions", it.version])} aria-current=${it.version === shown ? "true" : undefined}>${words.version(it.version)}</a>`,
    },
    { name: "status", title: words.status, cell: (/** @type {any} */ it) => html`<${Status} status=${it.live ? "live" : it.status} />` },
    { name: "recipe", title: words.recipe, cell: (/** @type {any} */ it) => it.recipe },
    { name: "accuracy", title: words.accuracy, cell: (/** @type {any} */ it) => (it.evaluation ? html`<${Interval} share=${it.evaluation.accuracy} n=${it.evaluation.examples} compact />` : "–") },
    { name: "created", title: words.created, cell: (/** @type {any} */ it) => html`<time datetime=${it.created_at}>${moment(it.created_at)}</time>` },
  ];
  return html`
    <section aria-labelledby="versions">
      <h2 id="versions">${words.versions}</h2>
      <${Table} caption=${words.versions} columns=${columns} rows=${versions} keyOf=${(/** @type {any} */ it) => it.version} />
    </section>
  `;
}

// Screen 1: all models, and how each one does.
import { html, useEffect, useRef, useState } from "../html.js";
import { number, percent } from "../format.js";
import { Field } from "../parts/Field.js";
import { Interval } from "../parts/Interval.js";
import { Loading } from "../parts/Loading.js";
import { Page } from "../parts/Page.js";
import { Problem } from "../parts/Problem.js";
import { Status } from "../parts/Status.js";
import { Table } from "../parts/Table.js";
import { useLoad } from "../parts/useLoad.js";
import { go, link, setQuery } from "../router.js";
import { strings } from "../strings.js";

const PAGE = 1000;
const words = strings.models;

/** @param {{api: import("../api.js").Api, params: any}} props */
export function Models({ api, params }) {
  return api.mayRead ? html`<${List} api=${api} params=${params} />` : html`<${ById} />`;
}

/** @param {{api: import("../api.js").Api, params: any}} props */
function List({ api, params }) {
  const first = useLoad((signal) => api.get("models", { limit: PAGE }, signal), [], {
    every: ({ models }) => (models.some((/** @type {any} */ model) => model.status === "training") ? 10 : null),
  });
  const [further, setFurther] = useState(/** @type {any[]} */ ([]));
  const [problem, setProblem] = useState(/** @type {any} */ (null));
  if (!first.value) return html`<${Page} title=${words.title}>${first.problem ? html`<${Problem} error=${first.problem} onReload=${first.reload} />` : html`<${Loading} />`}<//>`;

  const pages = [first.value, ...further];
  const models = pages.flatMap((page) => page.models);
  const next = pages[pages.length - 1].next;
  if (models.length === 0) return html`<${Empty} api=${api} />`;

  const more = () => api.get("models", { limit: PAGE, next }).then((page) => setFurther([...further, page]), setProblem);
  const asked = (params.query.find ?? "").trim().toLowerCase();
  const shown = models.filter((model) => !asked || [model.model_id, model.title ?? "", ...model.tags].some((word) => word.toLowerCase().includes(asked)));
  const columns = [
    { name: "model", title: words.model, header: true, cell: (/** @type {any} */ model) => html`<${Name} model=${model} />` },
    { name: "accuracy", title: words.accuracy, cell: (/** @type {any} */ model) => html`<${Measured} api=${api} model=${model} show="accuracy" />` },
    { name: "accepted", title: words.accepted, numeric: true, cell: (/** @type {any} */ model) => html`<${Measured} api=${api} model=${model} show="accepted" />` },
    { name: "status", title: words.statusColumn, cell: (/** @type {any} */ model) => html`<${Status} status=${model.status} />` },
    { name: "live", title: words.live, numeric: true, cell: (/** @type {any} */ model) => model.live_version ?? html`<span class="muted">${words.none}</span>` },
    { name: "pending", title: words.pending, numeric: true, cell: (/** @type {any} */ model) => number(model.waiting_examples) },
    { name: "drift", title: words.drift, cell: (/** @type {any} */ model) => html`<${Drift} api=${api} model=${model} />` },
  ];
  const actions = api.mayEdit && html`<a class="button primary" href=${link(["new"])}>${words.new}</a>`;
  return html`
    <${Page} title=${words.title} lead=${words.lead(models.length)} actions=${actions}>
      <${Problem} error=${first.problem ?? problem} onReload=${first.reload} />
      ${models.length > 10 &&
      html`<${Field} label=${words.filter}>
        <input type="search" value=${params.query.find ?? ""} placeholder=${words.filterPlaceholder} onInput=${(/** @type {any} */ event) => setQuery({ find: event.target.value })} />
      <//>`}
      ${shown.length ? html`<${Table} caption=${words.title} columns=${columns} rows=${shown} keyOf=${(/** @type {any} */ model) => model.model_id} />` : html`<p>${words.noMatch}</p>`}
      ${next && html`<p class="actions"><button type="button" onClick=${more}>${strings.common.more}</button></p>`}
    <//>
  `;
}

/** @param {{model: any}} props */
function Name({ model }) {
  return html`
    <a class="name" href=${link(["models", model.model_id])}>${model.title ?? model.model_id}</a>
    ${model.title && html`<span class="muted id">${model.model_id}</span>`}
    ${model.tags.map((/** @type {string} */ tag) => html`<span key=${tag} class="tag">${tag}</span>`)}
  `;
}

/** Whether the element is, or once was, on the screen: of 1,000 models only those in sight are asked for. */
function useSeen() {
  const element = useRef(/** @type {HTMLElement | null} */ (null));
  const [seen, setSeen] = useState(false);
  useEffect(() => {
    const watcher = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      watcher.disconnect();
      setSeen(true);
    });
    if (element.current) watcher.observe(element.current);
    return () => watcher.disconnect();
  }, []);
  return { element, seen };
}

/** Versions do not change: each is read once. @type {Map<string, Promise<any>>} */
const versions = new Map();

/** @param {import("../api.js").Api} api @param {string} path */
function readOnce(api, path) {
  if (!versions.has(path)) {
    const asked = api.get(path);
    versions.set(path, asked);
    asked.catch(() => versions.delete(path));
  }
  return /** @type {Promise<any>} */ (versions.get(path));
}

/** @param {{api: import("../api.js").Api, model: any, show: "accuracy" | "accepted"}} props */
function Measured({ api, model, show }) {
  const { element, seen } = useSeen();
  const [evaluation, setEvaluation] = useState(/** @type {any} */ (undefined));
  useEffect(() => {
    if (!seen || !model.live_version) return;
    readOnce(api, `models/${encodeURIComponent(model.model_id)}/versions/${model.live_version}`).then(
      (version) => setEvaluation(version.evaluation),
      () => setEvaluation(null),
    );
  }, [seen, model.live_version]);
  if (!model.live_version || evaluation === undefined) return html`<span ref=${element} class="muted">–</span>`;
  if (evaluation === null) return html`<span class="muted">${show === "accuracy" ? words.notMeasured : "–"}</span>`;
  if (show === "accuracy") return html`<${Interval} share=${evaluation.accuracy} n=${evaluation.examples} compact />`;
  return evaluation.accepted_share === undefined ? html`<span class="muted">–</span>` : percent(evaluation.accepted_share, 0);
}

/** @param {{api: import("../api.js").Api, model: any}} props */
function Drift({ api, model }) {
  const { element, seen } = useSeen();
  const [day, setDay] = useState(/** @type {any} */ (undefined));
  useEffect(() => {
    if (!seen || !model.log) return;
    api.get(`models/${encodeURIComponent(model.model_id)}/drift`, { limit: 1 }).then(
      (drift) => setDay(drift.days[0] ?? null),
      () => setDay(null),
    );
  }, [seen]);
  if (!model.log) return html`<span class="muted">${words.off}</span>`;
  if (day === undefined || day === null) return html`<span ref=${element} class="muted">${day === null ? words.notMeasured : "–"}</span>`;
  return html`<span class=${day.drifted ? "status failed" : "muted"}>${day.drifted ? words.drifted : words.steady}</span>`;
}

/** @param {{api: import("../api.js").Api}} props */
function Empty({ api }) {
  return html`
    <${Page} title=${api.mayEdit ? words.emptyTitle : words.title} lead=${api.mayEdit ? words.emptyText : words.emptyReader}>
      ${api.mayEdit &&
      html`<p class="actions">
        <a class="button primary" href=${link(["new"], { sample: 1 })}>${words.emptySample}</a>
        <a class="button" href=${link(["new"])}>${words.emptyFile}</a>
      </p>`}
    <//>
  `;
}

/** For keys that may not list models. */
function ById() {
  const [id, setId] = useState("");
  const open = (/** @type {Event} */ event) => {
    event.preventDefault();
    go(link(["models", id.trim(), "try"]));
  };
  return html`
    <${Page} title=${words.classifyTitle} lead=${words.classifyText}>
      <form class="narrow" onSubmit=${open}>
        <${Field} label=${words.classifyId}>
          <input required pattern="[A-Za-z0-9][A-Za-z0-9._\\-]{0,63}" value=${id} onInput=${(/** @type {any} */ event) => setId(event.target.value)} />
        <//>
        <p class="actions"><button class="primary">${words.classifyOpen}</button></p>
      </form>
    <//>
  `;
}

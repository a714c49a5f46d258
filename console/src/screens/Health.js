// Screen 9: whose key it is, what it may and has used, and whether each part of the deployment answers.
import { ApiError } from "../api.js";
import { html } from "../html.js";
import { number } from "../format.js";
import { Loading } from "../parts/Loading.js";
import { Page } from "../parts/Page.js";
import { Problem } from "../parts/Problem.js";
import { Progress } from "../parts/Progress.js";
import { Table } from "../parts/Table.js";
import { useLoad } from "../parts/useLoad.js";
import { strings } from "../strings.js";

const words = strings.health;

/** @param {{api: import("../api.js").Api, params: any}} props */
export function Health({ api }) {
  const who = useLoad(() => api.identify(), []);
  const health = useLoad((signal) => deep(api, signal), []);
  const again = () => {
    who.reload();
    health.reload();
  };
  return html`
    <${Page} title=${words.title} lead=${words.lead} actions=${html`<button type="button" onClick=${again}>${words.again}</button>`}>
      <section aria-labelledby="key">
        <h2 id="key">${words.key}</h2>
        <${Problem} error=${who.problem} onReload=${who.reload} />
        ${who.value ? html`<${Who} whoami=${who.value} />` : who.loading && html`<${Loading} />`}
        <p class="muted small">${words.makeKeys} <code>make key NAME=… ROLE=predict</code></p>
      </section>
      <section aria-labelledby="parts">
        <h2 id="parts">${words.parts}</h2>
        <${Problem} error=${health.problem} onReload=${health.reload} />
        ${health.value ? html`<${Parts} parts=${health.value} />` : health.loading && html`<${Loading} what=${words.asking} />`}
      </section>
    <//>
  `;
}

/** What each part says; a part that does not answer is an answer too (503). @param {import("../api.js").Api} api @param {AbortSignal} signal */
async function deep(api, signal) {
  try {
    return (await api.get("health", { deep: 1 }, signal)).parts;
  } catch (error) {
    if (error instanceof ApiError && error.status === 503 && error.problem.parts) return error.problem.parts;
    throw error;
  }
}

/** @param {{whoami: any}} props */
function Who({ whoami }) {
  const { name, role, limits, used_today: used } = whoami;
  const may = /** @type {Record<string, string>} */ (strings.key.role)[role ?? "none"];
  return html`
    <div class="cards">
      <div class="card">
        <div class="muted">${words.name}</div>
        <div class="figure">${name ?? words.unnamed}</div>
        <div class="muted small">${role ? `${role}: ${may}` : may}</div>
      </div>
      ${limits &&
      html`<div class="card">
        <div class="muted">${words.today}</div>
        <div class="figure">${used === null ? words.unknown : number(used)}</div>
        <div class="muted small">${used === null ? words.atMost(limits.requests_per_day) : words.ofDay(limits.requests_per_day)}</div>
        ${used !== null && html`<${Progress} label=${words.today} percent=${Math.min(100, Math.round((100 * used) / limits.requests_per_day))} />`}
      </div>
      <div class="card">
        <div class="muted">${words.rate}</div>
        <div class="figure">${number(limits.requests_per_second)}</div>
        <div class="muted small">${words.rateHint}</div>
      </div>`}
    </div>
  `;
}

/** @param {{parts: Record<string, string>}} props */
function Parts({ parts }) {
  const sick = Object.values(parts).filter((answer) => answer !== "ok").length;
  const columns = [
    { name: "part", title: words.part, header: true, cell: (/** @type {[string, string]} */ [name]) => /** @type {Record<string, string>} */ (words.partNames)[name] ?? name },
    {
      name: "answer",
      title: words.state,
      cell: (/** @type {[string, string]} */ [, answer]) => html`<span class=${`status ${answer === "ok" ? "ok" : "failed"}`}>${answer === "ok" ? words.ok : answer}</span>`,
    },
  ];
  return html`
    <p class=${sick ? "problem" : "notice good"} role="status">${sick ? words.sick(sick) : words.well}</p>
    <${Table} caption=${words.parts} columns=${columns} rows=${Object.entries(parts)} keyOf=${(/** @type {[string, string]} */ [name]) => name} />
  `;
}

// Screen 7: two versions side by side, which of them answers, and who did what.
import { html, useEffect, useRef, useState } from "../html.js";
import { inPercent, moment, number, percent } from "../format.js";
import { Confirm } from "../parts/Dialog.js";
import { Interval } from "../parts/Interval.js";
import { Loading } from "../parts/Loading.js";
import { ModelNav } from "../parts/ModelNav.js";
import { Page } from "../parts/Page.js";
import { Problem } from "../parts/Problem.js";
import { Table } from "../parts/Table.js";
import { VersionChoice, useVersions } from "../parts/VersionChoice.js";
import { useDeed } from "../parts/useDeed.js";
import { useLoad } from "../parts/useLoad.js";
import { usePages } from "../parts/usePages.js";
import { link, setQuery } from "../router.js";
import { strings } from "../strings.js";

const words = strings.compare;
const PAGE = 20;
const TEXTS = 10;

/** @param {{api: import("../api.js").Api, params: any}} props */
export function Compare({ api, params: { model, query } }) {
  const path = `models/${encodeURIComponent(model)}`;
  const loaded = useLoad((signal) => api.call("GET", path, { signal }), [model]);
  const versions = useVersions(api, model);
  const found = loaded.value?.body;
  const ready = versions.value ?? [];
  const live = found?.live_version ?? null;
  // By default the newest version, beside the live one, or else beside the one before it.
  const to = ready.find((each) => each.version === Number(query.to)) ?? ready[0];
  const before = ready.find((each) => each.version === Number(query.from)) ?? ready.find((each) => each.live && each !== to) ?? ready.find((each) => each !== to);
  const reload = () => {
    loaded.reload();
    versions.reload();
  };
  // The button that made a version live is gone then, and the heading stands over the sentence that says so.
  const lastLive = useRef(live);
  useEffect(() => {
    if (lastLive.current !== null && live !== lastLive.current) document.querySelector("h1")?.focus();
    lastLive.current = live;
  }, [live]);
  const addressOf = (/** @type {Record<string, number>} */ change) => link(["models", model, "compare"], { from: before?.version, to: to?.version, ...change });
  const choices = html`
    <${VersionChoice} versions=${versions.value} version=${before?.version ?? null} label=${words.from} addressOf=${(/** @type {number} */ version) => addressOf({ from: version })} />
    <${VersionChoice} versions=${versions.value} version=${to?.version ?? null} label=${words.to} addressOf=${(/** @type {number} */ version) => addressOf({ to: version })} />
  `;
  return html`
    <${Page} title=${words.title(model)} lead=${found && (live === null ? words.noneLive : words.lead(live))} actions=${choices}>
      <${ModelNav} api=${api} model=${model} version=${live ?? to?.version ?? null} here="compare" />
      <${Problem} error=${loaded.problem ?? versions.problem} onRetry=${reload} />
      ${(!found || !versions.value) && !loaded.problem && !versions.problem && html`<${Loading} />`}
      ${found && versions.value && html`
        <div class="sides">
          ${[before, to].map((version) => version && html`<${Side} key=${version.version} api=${api} model=${model} version=${version} live=${live} etag=${loaded.value?.etag ?? null} onChange=${reload} />`)}
        </div>
        ${!to && html`<p class="notice">${words.noneReady}</p>`}
        ${before && to && before !== to ? html`<${Difference} api=${api} model=${model} from=${before.version} to=${to.version} query=${query} />` : to && html`<p class="notice">${words.onlyOne}</p>`}
      `}
      ${(found || loaded.problem) && html`<${History} key=${loaded.value?.etag ?? ""} api=${api} model=${model} />`}
    <//>
  `;
}

/**
 * A version with its figures, and the button that makes it live.
 * @param {{api: import("../api.js").Api, model: string, version: any, live: number | null, etag: string | null, onChange: () => void}} props
 */
function Side({ api, model, version, live, etag, onChange }) {
  const { evaluation, gate } = version;
  const isLive = version.version === live;
  return html`
    <div class="card side">
      <h2>${words.version(version.version)} ${isLive && html`<span class="status live">${strings.status.live}</span>`}</h2>
      ${version.note && html`<p>${version.note}</p>`}
      ${evaluation ? html`<p class="figure">${percent(evaluation.accuracy)}</p><p class="muted small">${words.accuracyThen(evaluation.examples)}</p><${Interval} share=${evaluation.accuracy} n=${evaluation.examples} />` : html`<p class="muted">${words.notMeasured}</p>`}
      <p class="small muted">${words.made(version.recipe, moment(version.finished_at ?? version.created_at))}</p>
      ${gate && html`<p class=${gate.passed ? "notice good" : "notice"}><strong>${gate.passed ? words.passed : words.notPassed}</strong> ${inPercent(gate.reason)}</p>`}
      ${!isLive && api.mayEdit && html`<${Promote} api=${api} model=${model} version=${version.version} live=${live} etag=${etag} onChange=${onChange} />`}
    </div>
  `;
}

/** @param {{api: import("../api.js").Api, model: string, version: number, live: number | null, etag: string | null, onChange: () => void}} props */
function Promote({ api, model, version, live, etag, onChange }) {
  const [asking, setAsking] = useState(false);
  const { busy, problem, run, reload } = useDeed(onChange);
  const back = live !== null && version < live;
  const promote = async () => {
    await run(() => api.call("PUT", `models/${encodeURIComponent(model)}/live`, { body: { version }, ifMatch: etag }));
    setAsking(false);
  };
  return html`
    <p class="actions"><button type="button" class=${back ? "" : "primary"} onClick=${() => setAsking(true)}>${back ? words.rollBack(version) : words.promote(version)}</button></p>
    <${Problem} error=${problem} api=${api} model=${model} onReload=${problem?.status === 412 ? reload : undefined} />
    ${asking &&
    html`<${Confirm}
      title=${back ? words.rollBackAsk(version) : words.promoteAsk(version)}
      text=${live === null ? words.promoteFirst : words.promoteText(live)}
      yes=${back ? words.rollBackYes : words.promoteYes}
      no=${strings.common.cancel}
      busy=${busy}
      onYes=${promote}
      onNo=${() => setAsking(false)}
    />`}
  `;
}

/** @param {{api: import("../api.js").Api, model: string, from: number, to: number, query: Record<string, string>}} props */
function Difference({ api, model, from, to, query }) {
  const loaded = useLoad((signal) => api.get(`models/${encodeURIComponent(model)}/versions/${from}/compare`, { to }, signal), [model, from, to]);
  if (loaded.problem) return loaded.problem.kind === "nothing-to-compare" ? html`<p class="notice">${loaded.problem.detail}</p>` : html`<${Problem} error=${loaded.problem} onRetry=${loaded.reload} />`;
  if (!loaded.value) return html`<${Loading} what=${words.comparing} />`;
  const { before, after, gained, lost, examples, per_label: labels, fixed, broken, labels_of: labelsOf } = loaded.value;
  const measures = [
    { name: words.accuracy, before: before.accuracy, after: after.accuracy },
    { name: words.macroF1, before: before.macro_f1, after: after.macro_f1 },
  ];
  const numbers = [
    { name: "before", title: words.version(from), numeric: true, cell: (/** @type {any} */ row) => percent(row.before) },
    { name: "after", title: words.version(to), numeric: true, cell: (/** @type {any} */ row) => percent(row.after) },
    { name: "change", title: words.change, numeric: true, sortable: true, cell: (/** @type {any} */ row) => html`<${Change} by=${row.after - row.before} />` },
  ];
  const sort = query.sort ?? "change";
  const sign = sort.startsWith("-") ? -1 : 1;
  const by = sort.replace(/^-/, "");
  const rows = [...labels].sort((one, other) => sign * (by === "label" ? one.label.localeCompare(other.label) : one[by] - other[by]) || one.label.localeCompare(other.label));
  return html`
    <section>
      <h2>${words.sameTexts}</h2>
      <p class="lead">${words.sameTextsHow(examples, labelsOf)}</p>
      <p class="verdict"><span class="chip fixed">${words.fixed(gained)}</span> <span class="chip broken">${words.broken(lost)}</span></p>
      <${Table} caption=${words.sameTexts} columns=${[{ name: "name", title: words.measure, header: true, cell: (/** @type {any} */ row) => row.name }, ...numbers.map((column) => ({ ...column, sortable: false }))]} rows=${measures} keyOf=${(/** @type {any} */ row) => row.name} />
    </section>
    <div class="halves">
      <${Changed} title=${words.fixed(gained)} texts=${fixed ?? []} of=${gained} from=${from} to=${to} kind="fixed" />
      <${Changed} title=${words.broken(lost)} texts=${broken ?? []} of=${lost} from=${from} to=${to} kind="broken" />
    </div>
    <section>
      <h2>${words.byLabel}</h2>
      <${Table}
        caption=${words.byLabel}
        columns=${[
          { name: "label", title: strings.quality.label, header: true, sortable: true, cell: (/** @type {any} */ row) => html`<bdi title=${row.label}>${row.label}</bdi>` },
          { name: "support", title: strings.quality.support, numeric: true, sortable: true, cell: (/** @type {any} */ row) => number(row.support) },
          ...numbers,
        ]}
        rows=${rows}
        keyOf=${(/** @type {any} */ row) => row.label}
        sort=${sort}
        onSort=${(/** @type {string} */ next) => setQuery({ sort: next })}
      />
    </section>
  `;
}

/** A change in percentage points. @param {{by: number}} props */
function Change({ by }) {
  const points = (by * 100).toFixed(1);
  if (Number(points) === 0) return html`<span class="muted">0.0</span>`;
  return html`<span class=${by > 0 ? "better" : "worse"}>${by > 0 ? "+" : "−"}${Math.abs(Number(points)).toFixed(1)}</span>`;
}

/** @param {{title: string, texts: any[], of: number, from: number, to: number, kind: string}} props */
function Changed({ title, texts, of, from, to, kind }) {
  const [most, setMost] = useState(TEXTS);
  const named = (/** @type {string[]} */ labels) => html`<bdi>${labels.join(", ") || strings.errors.noLabels}</bdi>`;
  return html`
    <section>
      <h2>${title}</h2>
      ${texts.length === 0 && html`<p class="muted">${of ? words.notShown : words.none}</p>`}
      <ul class="changed">
        ${texts.slice(0, most).map(
          ({ example, text, labels, before, after }) => html`
            <li key=${example}>
              <p class="example-text" dir="auto">${text ?? html`<span class="muted">${strings.errors.noText}</span>`}</p>
              <p class="said small">
                <span class="muted">${words.right}</span> ${named(labels)}${" "}
                <span class="muted">${kind === "fixed" ? words.said(from) : words.says(to)}</span> <span class="chip broken">${named(kind === "fixed" ? before : after)}</span>
              </p>
            </li>
          `,
        )}
      </ul>
      ${texts.length > most && html`<p><button type="button" class="link" onClick=${() => setMost(most + 100)}>${strings.common.more}</button></p>`}
      ${most >= texts.length && of > texts.length && texts.length > 0 && html`<p class="muted small">${words.firstOf(texts.length, of)}</p>`}
    </section>
  `;
}

/** Who did what. @param {{api: import("../api.js").Api, model: string}} props */
function History({ api, model }) {
  const list = usePages((next, signal) => api.get(`models/${encodeURIComponent(model)}/history`, { limit: PAGE, next }, signal), [model]);
  const entries = list.pages.flatMap((page) => page.entries);
  return html`
    <section>
      <h2>${words.history}</h2>
      <${Problem} error=${list.problem} onRetry=${list.reload} />
      <ol class="history">
        ${entries.map(
          (entry) => html`
            <li key=${entry.id}>
              <time datetime=${entry.at} class="muted small">${moment(entry.at)}</time>
              <span>${words.did(entry)}</span>
              <span class="muted small">${words.by(entry.by)}</span>
            </li>
          `,
        )}
      </ol>
      ${list.loading && html`<${Loading} />`}
      ${!list.loading && !list.problem && !entries.length && html`<p class="muted">${strings.common.nothing}</p>`}
      ${list.next && !list.loading && html`<p class="actions"><button type="button" onClick=${list.more}>${strings.common.more}</button></p>`}
    </section>
  `;
}

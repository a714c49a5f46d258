// Screen 2: from a file, or from names of labels alone, to a training.
import { ApiError, pause } from "../api.js";
import { html, useEffect, useRef, useState } from "../html.js";
import { count, size } from "../format.js";
import { Drop } from "../parts/Drop.js";
import { Field } from "../parts/Field.js";
import { Loading } from "../parts/Loading.js";
import { Page } from "../parts/Page.js";
import { Problem } from "../parts/Problem.js";
import { Progress } from "../parts/Progress.js";
import { Report } from "../parts/Report.js";
import { Rows } from "../parts/Rows.js";
import { useLoad } from "../parts/useLoad.js";
import { preview, unusable } from "../preview.js";
import { go, link, setQuery } from "../router.js";
import { strings } from "../strings.js";

const words = strings.new;
const LAYOUT = ["text_column", "label_column", "delimiter", "label_separator", "encoding"];
const ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** @param {{api: import("../api.js").Api, params: any}} props */
export function NewModel({ api, params }) {
  const { query } = params;
  if (!api.mayEdit) return html`<${Page} title=${words.title} lead=${words.notAllowed} />`;
  if (query.from === "labels") return html`<${FromLabels} api=${api} />`;
  return html`<${FromFile} api=${api} query=${query} />`;
}

/** An id that is like a file's name. @param {string} name */
const idOf = (name) =>
  name
    .replace(/\.(gz|csv|tsv|txt|json|jsonl|ndjson|ya?ml)\b/gi, "")
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .replace(/[^A-Za-z0-9._-]+/g, "-")
    .replace(/^[^A-Za-z0-9]+|-+$/g, "")
    .slice(0, 64)
    .toLowerCase() || "my-model";

// --- from a file ---

/** @param {{api: import("../api.js").Api, query: Record<string, string>}} props */
function FromFile({ api, query }) {
  const [file, setFile] = useState(/** @type {File | null} */ (null));
  const [share, setShare] = useState(/** @type {number | null} */ (null));
  const [problem, setProblem] = useState(/** @type {any} */ (null));
  const aborter = useRef(/** @type {AbortController | null} */ (null));

  /** @param {File} chosen */
  const take = async (chosen) => {
    aborter.current?.abort();
    const own = (aborter.current = new AbortController());
    setFile(null);
    setProblem(null);
    const why = await unusable(chosen);
    if (own.signal.aborted) return;
    if (why) {
      setProblem(why);
      return;
    }
    setFile(chosen);
    setShare(0);
    try {
      const place = await api.upload(chosen, chosen.name, setShare, own.signal);
      const { sample: _, ...layout } = query;
      go(link(["new"], { ...layout, bucket: place.s3bucket, object: place.training_object, name: chosen.name }), { replace: Boolean(query.sample) });
    } catch (error) {
      if (own.signal.aborted) return;
      setProblem(error);
    }
    setShare(null);
  };
  const stop = () => {
    aborter.current?.abort();
    setFile(null);
    setShare(null);
  };
  const sample = async () => {
    setProblem(null);
    try {
      const answer = await fetch("console/sample.json");
      if (!answer.ok) throw new ApiError(answer.status, {});
      await take(new File([await answer.blob()], "savings.json"));
    } catch (error) {
      setProblem(error instanceof ApiError ? error : new ApiError(0, {}));
    }
  };
  useEffect(() => {
    if (query.sample) sample();
  }, [query.sample]);

  if (query.object) return html`<${Checked} key=${query.object} api=${api} query=${query} file=${file} />`;
  return html`
    <${Page} title=${words.title} lead=${words.lead}>
      ${share !== null && file
        ? html`<div class="card">
            <p>${words.uploading(file.name, size(file.size))}</p>
            <${Progress} label=${words.uploadProgress} percent=${Math.round(share * 100)} />
            <p class="actions"><button type="button" onClick=${stop}>${strings.common.cancel}</button></p>
          </div>`
        : html`<${Drop} onFile=${take} />
            <p class="actions">
              <button type="button" onClick=${sample}>${words.sample}</button>
              <a class="button" href=${link(["new"], { from: "labels" })}>${words.onlyLabels}</a>
            </p>
            <p class="muted small">${words.formats}</p>`}
      <${Problem} error=${problem} onRetry=${file ? () => take(file) : undefined} />
    <//>
  `;
}

/** The dry run of an uploaded file: its report, and what its training would take. @param {import("../api.js").Api} api @param {Record<string, any>} request @param {AbortSignal} signal */
async function dryRun(api, request, signal) {
  const { status, body } = await api.call("POST", "models", { body: { ...request, id: "dry-run", dry_run: true }, signal });
  if (status === 200) return body;
  for (;;) {
    await pause(2, signal);
    const found = await api.get(`reports/${body.report_id}`, {}, signal);
    if (found.status === "ready") return found;
    if (found.status === "failed") throw new ApiError(422, { title: words.noReport, detail: found.error });
  }
}

/** @param {Record<string, string>} query */
function layoutOf(query) {
  const given = LAYOUT.filter((name) => query[name]).map((name) => [name, query[name]]);
  return Object.fromEntries(given.map(([name, value]) => [name, name === "text_column" ? columnOrColumns(value) : value]));
}

/** Several columns are a list in JSON. The name of a single one may look like a list, such as [text]. @param {string} value @returns {string | string[]} */
function columnOrColumns(value) {
  try {
    const found = JSON.parse(value);
    if (Array.isArray(found) && found.length && found.every((name) => typeof name === "string")) return found;
  } catch {
    // It is a name.
  }
  return value;
}

/** @param {{api: import("../api.js").Api, query: Record<string, string>, file: File | null}} props */
function Checked({ api, query, file }) {
  const layout = layoutOf(query);
  const request = { s3bucket: query.bucket, training_object: query.object, ...layout };
  const laidOut = Object.fromEntries(LAYOUT.map((name) => [name, query[name]]));
  // The columns that the API did not find, so that somebody must name them before it is asked again.
  const cut = JSON.stringify([query.delimiter, query.encoding]);
  const unknown = useRef({ cut, columns: /** @type {string[]} */ ([]) });
  if (unknown.current.cut !== cut) unknown.current = { cut, columns: [] };
  const missing = () => unknown.current.columns.filter((name) => !layout[name]);
  const check = async (/** @type {AbortSignal} */ signal) => {
    if (missing().length) return null;
    const found = await dryRun(api, request, signal);
    const columns = columnsMissing(found.report).filter((name) => !layout[name]);
    if (columns.length) unknown.current = { cut, columns };
    return found;
  };
  const { value: found, problem, loading, reload } = useLoad(check, [JSON.stringify(layout)]);
  const report = found?.report;
  const rows = useLoad(async () => (file ? preview(file, { ...(report?.understood ?? {}), ...layout }) : null), [file, report, query.delimiter, query.encoding]);
  const kept = useRef(/** @type {any} */ (null));
  if (rows.value) kept.current = rows.value;
  // Without the file there are no names to choose from.
  const toChoose = kept.current?.columns ? missing() : [];

  return html`
    <${Page} title=${words.checkTitle(query.name)} lead=${words.checkLead} actions=${html`<a class="button" href=${link(["new"])}>${words.otherFile}</a>`}>
      <${Problem} error=${problem} onReload=${reload} />
      <section aria-labelledby="understood">
        <h2 id="understood">${words.understood}</h2>
        ${kept.current ? html`<${Rows} preview=${kept.current} roles=${rolesOf(report, layout)} />` : file ? html`<${Loading} />` : html`<p class="muted">${words.noPreview}</p>`}
        ${!loading &&
        toChoose.length > 0 &&
        html`<div class="notice" role="status">
          <p><b>${toChoose.length > 1 ? words.chooseColumns : toChoose[0] === "text_column" ? words.chooseText : words.chooseLabel}</b></p>
          <p>${words.chooseColumnsHow}</p>
        </div>`}
        ${(report || kept.current) && html`<${Layout} preview=${kept.current} report=${report} layout=${layout} />`}
      </section>
      ${loading ? html`<${Loading} what=${words.checking} />` : report && !toChoose.length && html`<${Report} report=${report} />`}
      ${report && !report.trainable && !toChoose.length && !loading && html`<p class="actions"><a class="button primary" href=${link(["new"], laidOut)}>${words.correctedFile}</a></p>`}
      ${report?.trainable && !loading && html`<${Train} api=${api} request=${request} name=${query.name} estimates=${found?.estimates} recipes />`}
    <//>
  `;
}

/** The columns of the text and the label. @param {any} report @param {any} layout */
const columnsOf = (report, layout) => ({
  texts: [layout.text_column ?? report?.understood?.text_column ?? []].flat(),
  label: layout.label_column ?? report?.understood?.label_column,
});

/** What each column of a table is for. @param {any} report @param {any} layout @returns {Map<string, string>} */
function rolesOf(report, layout) {
  const { texts, label } = columnsOf(report, layout);
  const roles = new Map(label ? [[label, words.label]] : []);
  for (const name of texts) roles.set(name, words.text);
  return roles;
}

/** The columns that somebody has to name, if the file was read no further for that. @param {any} report @returns {string[]} */
function columnsMissing(report) {
  if (report.examples) return [];
  const [problem] = report.problems.filter((/** @type {any} */ it) => it.refuses);
  const said = String(problem?.rows?.[0]?.problem ?? "");
  const ofColumns = problem?.kind === "unreadable-file" && /no header|which column|has no column/.test(said);
  if (!ofColumns) return [];
  const named = ["text_column", "label_column"].filter((name) => said.includes(`\`${name}\``));
  return named.length ? named : ["text_column", "label_column"];
}

/** Menus for how the file is read. @param {{preview: any, report: any, layout: any}} props */
function Layout({ preview, report, layout }) {
  const { texts, label } = columnsOf(report, layout);
  const understood = report?.understood ?? {};
  const names = [...new Set([...(preview?.columns ?? []), ...texts, ...(label ? [label] : [])])];
  const isTable = preview ? preview.delimiter : understood.delimiter;
  const choose = (/** @type {string} */ name) => (/** @type {any} */ event) => setQuery({ [name]: event.target.value });
  const text = layout.text_column ? (Array.isArray(layout.text_column) ? JSON.stringify(layout.text_column) : layout.text_column) : "";
  const found = (/** @type {any} */ value) => (value ? words.found([value].flat().join(" + ")) : words.foundNone);
  if (preview?.lines && !names.length) return null;
  return html`
    <div class="fields">
      <${Field} label=${words.textColumn}>
        <select value=${text} onChange=${choose("text_column")}>
          <option value="">${understood.text_column && !layout.text_column ? found(understood.text_column) : words.chooseColumn}</option>
          ${names.map((name) => html`<option key=${name} value=${name}>${name}</option>`)}
          ${Array.isArray(layout.text_column) && html`<option value=${text}>${layout.text_column.join(" + ")}</option>`}
        </select>
      <//>
      <${Field} label=${words.labelColumn}>
        <select value=${layout.label_column ?? ""} onChange=${choose("label_column")}>
          <option value="">${understood.label_column && !layout.label_column ? found(understood.label_column) : words.chooseColumn}</option>
          ${names.map((name) => html`<option key=${name} value=${name}>${name}</option>`)}
        </select>
      <//>
    </div>
    <details open=${Boolean(layout.delimiter || layout.label_separator || layout.encoding)}>
      <summary>${words.moreLayout}</summary>
      <div class="fields">
        ${isTable &&
        html`<${Field} label=${words.delimiter}>
            <select value=${layout.delimiter ?? ""} onChange=${choose("delimiter")}>
              <option value="">${found(layout.delimiter ? null : /** @type {any} */ (words.delimiters)[understood.delimiter])}</option>
              ${Object.entries(words.delimiters).map(([mark, name]) => html`<option key=${mark} value=${mark}>${name}</option>`)}
            </select>
          <//>
          <${Field} label=${words.separator} hint=${words.separatorHint}>
            <select value=${layout.label_separator ?? ""} onChange=${choose("label_separator")}>
              <option value="">${found(layout.label_separator ? null : understood.label_separator)}</option>
              ${["|", ";", ",", "#", "/"].map((mark) => html`<option key=${mark} value=${mark}>${mark}</option>`)}
            </select>
          <//>`}
        <${Field} label=${words.encoding}>
          <select value=${layout.encoding ?? ""} onChange=${choose("encoding")}>
            <option value="">${found(layout.encoding ? null : understood.encoding)}</option>
            ${["utf-8", "utf-16", "windows-1252"].map((name) => html`<option key=${name} value=${name}>${name}</option>`)}
          </select>
        <//>
      </div>
    </details>
  `;
}

// --- from names alone ---

/** A line is a label's name, and after a colon what it means. @param {string} text */
export function labelsOf(text) {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean)
    .map((line) => {
      const [, name, description] = /^([^:]+?)\s*(?::\s*(.*))?$/.exec(line) ?? [null, line, ""];
      return description ? { name, description } : name;
    });
}

/** @param {{api: import("../api.js").Api}} props */
function FromLabels({ api }) {
  const [text, setText] = useState("");
  const [asked, setAsked] = useState(/** @type {any[] | null} */ (null));
  const labels = labelsOf(text);
  const check = (/** @type {Event} */ event) => {
    event.preventDefault();
    setAsked(labels);
  };
  return html`
    <${Page} title=${words.labelsTitle} lead=${words.labelsLead} actions=${html`<a class="button" href=${link(["new"])}>${words.withFile}</a>`}>
      <form onSubmit=${check}>
        <${Field} label=${words.labelsField} hint=${words.labelsHint}>
          <textarea rows="8" required value=${text} onInput=${(/** @type {any} */ event) => setText(event.target.value)}></textarea>
        <//>
        <p class="actions">
          <button class=${asked ? "" : "primary"} disabled=${labels.length < 2}>${words.check}</button>
          <span class="muted">${count(labels.length, "label")}</span>
        </p>
      </form>
      ${asked && html`<${CheckedLabels} key=${JSON.stringify(asked)} api=${api} labels=${asked} />`}
    <//>
  `;
}

/** @param {{api: import("../api.js").Api, labels: any[]}} props */
function CheckedLabels({ api, labels }) {
  const { value: found, problem, loading, reload } = useLoad((signal) => dryRun(api, { labels }, signal), []);
  if (loading) return html`<${Loading} what=${words.checking} />`;
  if (problem) return html`<${Problem} error=${problem} onReload=${reload} />`;
  return html`<${Report} report=${found?.report} />${found?.report.trainable && html`<${Train} api=${api} request=${{ labels }} name="" recipes=${false} />`}`;
}

// --- the training ---

/** @param {{api: import("../api.js").Api, request: any, name: string, recipes: boolean, estimates?: any[] | null}} props */
function Train({ api, request, name, recipes, estimates }) {
  const [id, setId] = useState(idOf(name));
  const [recipe, setRecipe] = useState("auto");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState(/** @type {any} */ (null));
  const [wrong, setWrong] = useState(false);
  const exists = problem instanceof ApiError && problem.kind === "model-exists";

  /** @param {boolean} again */
  const train = async (again) => {
    setBusy(true);
    setProblem(null);
    try {
      const body = { ...request, id, ...(recipe === "auto" ? {} : { recipe }), ...(again ? { force_update: true } : {}) };
      const { body: queued } = await api.call("POST", "models", { body });
      go(link(["models", queued.model_id, "versions", queued.version]));
    } catch (error) {
      setProblem(error);
      setBusy(false);
    }
  };
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    setWrong(!ID.test(id));
    if (ID.test(id)) train(false);
  };
  return html`
    <section aria-labelledby="train">
      <h2 id="train">${words.trainTitle}</h2>
      <form novalidate onSubmit=${submit}>
        <div class="fields">
          <${Field} label=${words.id} hint=${words.idHint} error=${wrong && !ID.test(id) && words.idWrong(idOf(id))}>
            <input maxlength="64" aria-invalid=${wrong && !ID.test(id)} value=${id} onInput=${(/** @type {any} */ event) => setId(event.target.value)} />
          <//>
          ${recipes &&
          html`<${Field} label=${words.recipe} hint=${/** @type {any} */ (words.recipeHints)[recipe]}>
            <select value=${recipe} onChange=${(/** @type {any} */ event) => setRecipe(event.target.value)}>
              ${Object.keys(words.recipeHints).map((name) => html`<option key=${name} value=${name}>${name}</option>`)}
            </select>
          <//>`}
        </div>
        <${Estimates} estimates=${(estimates ?? []).filter((it) => recipe === "auto" || it.recipe === recipe)} />
        ${exists
          ? html`<div class="notice" role="alert">
              <p>${words.exists(id)}</p>
              <p class="actions"><button type="button" class="primary" disabled=${busy} onClick=${() => train(true)}>${words.newVersion(id)}</button></p>
            </div>`
          : html`<${Problem} error=${problem} />`}
        <p class="actions"><button class=${exists ? "" : "primary"} disabled=${busy}>${busy ? words.starting : words.train}</button></p>
      </form>
    </section>
  `;
}

/** What the training would take, a sentence for each recipe that it tries. @param {{estimates: any[]}} props */
function Estimates({ estimates }) {
  if (!estimates.length) return null;
  return html`
    <div class=${estimates.every((it) => it.fits) ? "card" : "notice"} role="status">
      <p><b>${words.takes}</b></p>
      <ul>
        ${estimates.map((it) => html`<li key=${it.recipe}>${it.sentence}</li>`)}
      </ul>
    </div>
  `;
}

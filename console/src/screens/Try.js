// Screen 8: one text, or a file of them.
import { ApiError } from "../api.js";
import { html, useEffect, useRef, useState } from "../html.js";
import { moment, number, size } from "../format.js";
import { Copy } from "../parts/Copy.js";
import { Drop } from "../parts/Drop.js";
import { Explained } from "../parts/Explained.js";
import { Field } from "../parts/Field.js";
import { Loading } from "../parts/Loading.js";
import { ModelNav } from "../parts/ModelNav.js";
import { Page } from "../parts/Page.js";
import { Problem } from "../parts/Problem.js";
import { Progress } from "../parts/Progress.js";
import { Rows } from "../parts/Rows.js";
import { Scores } from "../parts/Scores.js";
import { Status } from "../parts/Status.js";
import { Table } from "../parts/Table.js";
import { useLoad } from "../parts/useLoad.js";
import { findsText, preview, unusable } from "../preview.js";
import { link, setQuery } from "../router.js";
import { snippets } from "../snippets.js";
import { strings } from "../strings.js";

const words = strings.try;

/** @param {{api: import("../api.js").Api, params: any}} props */
export function Try({ api, params }) {
  const path = `models/${encodeURIComponent(params.model)}`;
  // Keys that only classify may not read the model.
  const { value: model, problem, reload } = useLoad(async (signal) => (api.mayRead ? api.get(path, {}, signal) : null), [path]);
  const file = api.mayRead && params.query.what === "file";
  return html`
    <${Page} title=${model?.title ?? params.model} lead=${words.lead}>
      ${model && html`<${ModelNav} api=${api} model=${params.model} version=${model.live_version ?? model.latest_version} here="try" />`}
      <${Problem} error=${problem} onReload=${reload} />
      ${model &&
      html`<ul class="switch">
        <li><a href=${link(["models", params.model, "try"])} aria-current=${file ? undefined : "true"}>${words.one}</a></li>
        <li><a href=${link(["models", params.model, "try"], { what: "file" })} aria-current=${file ? "true" : undefined}>${words.file}</a></li>
      </ul>`}
      ${!problem && html`<div hidden=${file}><${OneText} api=${api} model=${params.model} version=${params.query.version} /></div>`}
      ${model && file && html`<${Files} api=${api} model=${params.model} batch=${params.query.batch} />`}
    <//>
  `;
}

// --- one text ---

/** @param {{api: import("../api.js").Api, model: string, version?: string}} props */
function OneText({ api, model, version }) {
  const [text, setText] = useState("");
  const [explain, setExplain] = useState(true);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState(/** @type {any} */ (null));
  const [answer, setAnswer] = useState(/** @type {any} */ (null));

  const request = { model_id: model, text, ...(version ? { version: Number(version) } : {}), ...(explain ? { explain: true } : {}) };
  const classify = async () => {
    setBusy(true);
    setProblem(null);
    try {
      const { body } = await api.call("POST", "prediction", { body: request });
      setAnswer({ ...body, text, request });
    } catch (error) {
      setProblem(error);
    }
    setBusy(false);
  };
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    classify();
  };
  const pressed = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && text.trim()) classify();
  };
  return html`
    <section aria-label=${words.one}>
      <form onSubmit=${submit}>
        <${Field} label=${words.text} hint=${words.textHint}>
          <textarea rows="3" required maxlength="20000" value=${text} onInput=${(/** @type {any} */ event) => setText(event.target.value)} onKeyDown=${pressed}></textarea>
        <//>
        <label class="check">
          <input type="checkbox" checked=${explain} onChange=${(/** @type {any} */ event) => setExplain(event.target.checked)} />
          ${words.explain}
        </label>
        <p class="actions"><button class="primary" disabled=${busy || !text.trim()}>${busy ? words.classifying : words.classify}</button></p>
      </form>
      <${Problem} error=${problem} onRetry=${classify} />
      ${answer && html`<${Answer} api=${api} answer=${answer} />`}
    </section>
  `;
}

/** @param {{api: import("../api.js").Api, answer: any}} props */
function Answer({ api, answer }) {
  const [language, setLanguage] = useState("curl");
  const [first] = answer.labels;
  const accepted = answer.labels.filter((/** @type {any} */ it) => it.accepted);
  const texts = /** @type {Record<string, string>} */ (snippets(api.url("prediction").href, answer.request));
  return html`
    <div class="card" aria-live="polite">
      <p class="figure">${accepted.length ? accepted.map((/** @type {any} */ it) => it.label).join(", ") : words.noneOfThese}</p>
      ${!accepted.length && html`<p class="muted">${words.notSure(first.label)}</p>`}
      <${Scores} labels=${answer.labels} />
      ${answer.explanation && html`<${Explained} text=${answer.text} explanation=${answer.explanation} />`}
      <p class="muted small">
        ${words.answeredBy(answer.version)}${answer.stage && ` ${words.stage(answer.stage)}`}${answer.policy && ` ${words.policy(answer.policy)}`}
      </p>
      <details>
        <summary>${words.copyAs}</summary>
        <div class="actions" role="group" aria-label=${words.copyAs}>
          ${Object.keys(texts).map((name) => html`<button key=${name} type="button" aria-pressed=${name === language} onClick=${() => setLanguage(name)}>${name}</button>`)}
        </div>
        <${Copy} text=${texts[language]} label=${words.copyAs} />
      </details>
    </div>
  `;
}

// --- a file ---

/** @param {{api: import("../api.js").Api, model: string, batch?: string}} props */
function Files({ api, model, batch }) {
  const path = `models/${encodeURIComponent(model)}/batches`;
  const [file, setFile] = useState(/** @type {File | null} */ (null));
  const [problem, setProblem] = useState(/** @type {any} */ (null));
  // How the batch of the address ended.
  const [ended, setEnded] = useState(/** @type {{batch: string, status: string} | null} */ (null));
  const { value: recent, reload } = useLoad((signal) => api.get(path, { limit: 5 }, signal), [batch]);
  const over = (/** @type {string} */ status) => {
    setEnded({ batch: /** @type {string} */ (batch), status });
    // After a failure the same file may be read in another way.
    if (status !== "failed") setFile(null);
    reload();
  };
  const busy = Boolean(file && batch) && ended?.batch !== batch;

  /** @param {File} chosen */
  const take = async (chosen) => {
    const why = await unusable(chosen);
    setProblem(why);
    setFile(why ? null : chosen);
    setQuery({ what: "file", batch: null }, { replace: true });
  };
  return html`
    <section aria-label=${words.file}>
      ${batch && html`<${Batch} key=${batch} api=${api} path=${path} batch=${batch} onEnd=${over} />`}
      ${!api.mayEdit
        ? html`<p class="muted">${words.noUpload}</p>`
        : file
          ? html`<div hidden=${busy}><${Start} key=${file} api=${api} path=${path} file=${file} onOther=${() => setFile(null)} /></div>`
          : html`<p class="muted">${words.fileLead}</p>
              <${Drop} onFile=${take} title=${words.drop} />`}
      <${Problem} error=${problem} />
      ${recent?.batches.length > 0 && html`<${Recent} model=${model} batches=${recent.batches} />`}
    </section>
  `;
}

/** A file before it is sent: its first rows, and how to read them. @param {{api: import("../api.js").Api, path: string, file: File, onOther: () => void}} props */
function Start({ api, path, file, onOther }) {
  const [layout, setLayout] = useState(/** @type {Record<string, string>} */ ({}));
  const [share, setShare] = useState(/** @type {number | null} */ (null));
  const [problem, setProblem] = useState(/** @type {any} */ (null));
  const uploaded = useRef(/** @type {{s3bucket: string, training_object: string} | null} */ (null));
  const kept = useRef(/** @type {any} */ (null));
  const { value } = useLoad(() => preview(file, layout), [layout.delimiter, layout.encoding]);
  if (value) kept.current = value;
  const shown = kept.current;
  if (!shown) return html`<${Loading} />`;

  // A table of one column has no delimiter that shows it.
  const columns = shown.columns ?? (/\.[ct]sv(\.gz)?$/i.test(file.name) ? [shown.lines[0].trim().replace(/^"(.*)"$/, "$1")] : []);
  const found = !columns.length || findsText(columns);
  const change = (/** @type {string} */ name) => (/** @type {any} */ event) => {
    const { [name]: _, ...others } = layout;
    setLayout(event.target.value ? { ...others, [name]: event.target.value } : others);
  };
  const start = async () => {
    setProblem(null);
    setShare(0);
    try {
      uploaded.current ??= await api.upload(file, file.name, setShare);
      const body = { s3bucket: uploaded.current.s3bucket, object: uploaded.current.training_object, ...layout };
      const { body: queued } = await api.call("POST", path, { body });
      setQuery({ what: "file", batch: queued.batch }, { replace: false });
    } catch (error) {
      setProblem(error);
    }
    setShare(null);
  };
  return html`
    <h2>${file.name}</h2>
    <${Rows} preview=${shown} roles=${new Map(layout.text_column ? [[layout.text_column, strings.new.text]] : [])} />
    ${!found && !layout.text_column && html`<p class="notice" role="status"><b>${strings.new.chooseText}</b></p>`}
    <div class="fields">
      ${columns.length > 0 &&
      html`<${Field} label=${words.column}>
        <select value=${layout.text_column ?? ""} onChange=${change("text_column")}>
          <option value="">${found ? words.columnFound : strings.new.chooseColumn}</option>
          ${[...new Set(columns)].map((name) => html`<option key=${name} value=${name}>${name}</option>`)}
        </select>
      <//>`}
    </div>
    <details>
      <summary>${strings.new.moreLayout}</summary>
      <div class="fields">
        ${shown.delimiter &&
        html`<${Field} label=${strings.new.delimiter}>
          <select value=${layout.delimiter ?? ""} onChange=${change("delimiter")}>
            <option value="">${words.byItself}</option>
            ${Object.entries(strings.new.delimiters).map(([mark, name]) => html`<option key=${mark} value=${mark}>${name}</option>`)}
          </select>
        <//>`}
        <${Field} label=${strings.new.encoding}>
          <select value=${layout.encoding ?? ""} onChange=${change("encoding")}>
            <option value="">${words.byItself}</option>
            ${["utf-8", "utf-16", "windows-1252"].map((name) => html`<option key=${name} value=${name}>${name}</option>`)}
          </select>
        <//>
      </div>
    </details>
    ${share !== null
      ? html`<p>${strings.new.uploading(file.name, size(file.size))}</p>
          <${Progress} label=${strings.new.uploadProgress} percent=${Math.round(share * 100)} />`
      : html`<p class="actions">
          <button type="button" class="primary" disabled=${!found && !layout.text_column} onClick=${start}>${words.start}</button>
          <button type="button" onClick=${onOther}>${strings.new.otherFile}</button>
        </p>`}
    <${Problem} error=${problem} />
  `;
}

/** @param {{api: import("../api.js").Api, path: string, batch: string, onEnd: (status: string) => void}} props */
function Batch({ api, path, batch, onEnd }) {
  const { value, problem, reload } = useLoad((signal) => api.get(`${path}/${encodeURIComponent(batch)}`, {}, signal), [], {
    every: ({ status }) => (["queued", "running"].includes(status) ? 2 : null),
  });
  const [failed, setFailed] = useState(/** @type {any} */ (null));
  const cancel = async () => {
    try {
      await api.call("POST", `${path}/${encodeURIComponent(batch)}/cancel`);
    } catch (error) {
      setFailed(error);
    }
    reload();
  };
  useEffect(() => {
    if (value && !["queued", "running"].includes(value.status)) onEnd(value.status);
  }, [value?.status]);
  if (!value) return html`<${Problem} error=${problem} onReload=${reload} />`;
  const running = value.status === "queued" || value.status === "running";
  return html`
    <div class="card">
      <p class="with-status"><b>${nameOf(value.object)}</b> <${Status} status=${value.status} /></p>
      <${Problem} error=${problem ?? failed} onReload=${reload} />
      ${running &&
      html`<${Progress} label=${words.progress} percent=${value.status === "queued" ? null : value.progress.percent} />
        <p class="muted">${value.ahead ? words.ahead(value.ahead) : words.goesOn}</p>
        <p class="actions"><button type="button" onClick=${cancel}>${words.cancel}</button></p>`}
      ${value.error && html`<${Problem} error=${new ApiError(422, { title: words.failed, detail: value.error })} />`}
      ${value.warning && html`<p class="notice">${value.warning}</p>`}
      ${value.status === "ready" &&
      html`<p>${words.done(value.progress.lines, value.progress.errors)}</p>
        ${value.result
          ? html`<p class="actions"><a class="button primary" href=${value.result.url} download>${words.download(size(value.result.bytes))}</a></p>`
          : html`<p class="muted">${words.gone}</p>`}`}
    </div>
  `;
}

/** An upload's name has a number of its own in front. @param {string} object */
const nameOf = (object) => object.replace(/^.*\//, "").replace(/^[0-9a-f]{32}-/, "");

/** @param {{model: string, batches: any[]}} props */
function Recent({ model, batches }) {
  const columns = [
    { name: "object", title: words.object, header: true, cell: (/** @type {any} */ it) => html`<a href=${link(["models", model, "try"], { what: "file", batch: it.batch })}>${nameOf(it.object)}</a>` },
    { name: "status", title: words.status, cell: (/** @type {any} */ it) => html`<${Status} status=${it.status} />` },
    { name: "lines", title: words.lines, numeric: true, cell: (/** @type {any} */ it) => (it.lines === null ? "–" : number(it.lines)) },
    { name: "created", title: words.created, cell: (/** @type {any} */ it) => html`<time datetime=${it.created_at}>${moment(it.created_at)}</time>` },
  ];
  return html`<h2>${words.recent}</h2>
    <${Table} caption=${words.recent} columns=${columns} rows=${batches} keyOf=${(/** @type {any} */ it) => it.batch} />`;
}

// What went wrong, and what to do about it.
import { html, useEffect, useState } from "../html.js";
import { ApiError } from "../api.js";
import { moment } from "../format.js";
import { link } from "../router.js";
import { strings } from "../strings.js";

/**
 * An error of the API client. onReload: read the screen's state again; onRetry: do the same again. With api and model, a stale state (412)
 * says who changed the model.
 * @param {{error: any, onReload?: () => void, onRetry?: () => void, api?: import("../api.js").Api, model?: string}} props
 */
export function Problem({ error, onReload, onRetry, api, model }) {
  if (!error) return null;
  const stale = error instanceof ApiError && error.status === 412;
  const lost = error instanceof ApiError && error.status === 0;
  if (error.kind === "model-not-found") {
    return html`
      <div class="problem" role="alert">
        <p class="problem-title">${strings.problem.noModel}</p>
        <p>${strings.problem.noModelDetail}</p>
        <p class="actions"><a class="button" href=${link(["models"])}>${strings.notFound.back}</a></p>
      </div>
    `;
  }
  const title = stale ? strings.problem.stale : lost ? strings.problem.lost : error.title || strings.problem.unexpected;
  return html`
    <div class="problem" role="alert">
      <p class="problem-title">${title}</p>
      <p>
        ${stale ? html`<${Changed} api=${api} model=${model} />` : lost ? strings.problem.lostDetail : error.detail || String(error.message ?? error)}
      </p>
      ${error.retryAfter && html`<p>${strings.problem.retryAfter(error.retryAfter)}</p>`}
      ${(onReload || onRetry) &&
      html`<p class="actions">
        ${onRetry && !stale && html`<button type="button" onClick=${onRetry}>${strings.common.tryAgain}</button>`}
        ${onReload && html`<button type="button" class=${stale ? "primary" : ""} onClick=${onReload}>${strings.common.reload}</button>`}
      </p>`}
    </div>
  `;
}

/** Who changed the model last. @param {{api?: import("../api.js").Api, model?: string}} props */
function Changed({ api, model }) {
  const [entry, setEntry] = useState(/** @type {any} */ (null));
  useEffect(() => {
    if (!api || !model) return;
    api.get(`models/${encodeURIComponent(model)}/history`, { limit: 1 }).then(
      (page) => setEntry(page.entries[0] ?? null),
      () => {},
    );
  }, []);
  return entry ? strings.problem.changedBy(entry.by?.name ?? strings.problem.somebody, moment(entry.at)) : strings.problem.staleDetail;
}

// Asks for the API key, and checks it with GET /whoami.
import { Api, ApiError } from "../api.js";
import { html, useEffect, useState } from "../html.js";
import { strings } from "../strings.js";
import { Dialog } from "./Dialog.js";
import { Field } from "./Field.js";
import { Loading } from "./Loading.js";
import { Page } from "./Page.js";
import { Problem } from "./Problem.js";

/**
 * kept: a key of this tab, which is tried first. lost: the key stopped working, and the screen behind stays.
 * @param {{kept?: string | null, lost?: boolean, onOpen: (api: Api, keep: boolean) => void}} props
 */
export function Key({ kept = null, lost = false, onOpen }) {
  const [key, setKey] = useState("");
  const [keep, setKeep] = useState(Boolean(kept));
  const [busy, setBusy] = useState(Boolean(kept));
  const [error, setError] = useState(/** @type {any} */ (null));

  /** @param {string} key @param {boolean} keep */
  const open = async (key, keep) => {
    setBusy(true);
    setError(null);
    const api = new Api(key.trim());
    try {
      await api.identify();
      onOpen(api, keep);
    } catch (error) {
      setError(error);
    } finally {
      setBusy(false);
    }
  };
  useEffect(() => {
    if (kept) open(kept, true);
  }, []);
  if (kept && busy) return html`<${Loading} what=${strings.key.checking} />`;

  const unknown = error instanceof ApiError && error.status === 403;
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    open(key, keep);
  };
  const isLocal = /^(localhost|127\.0\.0\.1)$/.test(location.hostname);
  const form = html`
    <form class="narrow" onSubmit=${submit}>
      <${Field} label=${strings.key.label} hint=${isLocal ? strings.key.hintLocal : strings.key.hint} error=${unknown && strings.key.unknown}>
        <input
          type="password"
          required
          autocomplete="off"
          spellcheck=${false}
          value=${key}
          onInput=${(/** @type {any} */ event) => setKey(event.target.value)}
          autofocus
        />
      <//>
      <label class="check">
        <input type="checkbox" checked=${keep} onChange=${(/** @type {any} */ event) => setKeep(event.target.checked)} />
        ${strings.key.keep}
      </label>
      ${error && !unknown && html`<${Problem} error=${error} />`}
      <p class="actions"><button class="primary" disabled=${busy}>${busy ? strings.key.checking : strings.key.open}</button></p>
    </form>
  `;
  if (lost) return html`<${Dialog} title=${strings.key.lostTitle}><p>${strings.key.lostLead}</p>${form}<//>`;
  return html`<${Page} title=${strings.key.title} lead=${strings.key.lead}>${form}<//>`;
}

import { html } from "../html.js";

/** A labelled control: <${"Field"} label hint error>control</…>. @param {{label: any, hint?: any, error?: any, children?: any}} props */
export function Field({ label, hint, error, children }) {
  return html`
    <label class="field">
      <span class="field-label">${label}</span>
      ${children}
      ${hint && html`<span class="hint">${hint}</span>`}
      ${error && html`<span class="field-error" role="alert">${error}</span>`}
    </label>
  `;
}

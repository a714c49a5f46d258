import { html } from "../html.js";
import { strings } from "../strings.js";

/** @param {{what?: string}} props */
export function Loading({ what = strings.common.loading }) {
  return html`<p class="loading" role="status"><span class="spinner" aria-hidden="true"></span>${what}</p>`;
}

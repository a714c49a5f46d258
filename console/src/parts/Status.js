import { html } from "../html.js";
import { strings } from "../strings.js";

/** The status of a model or a version, by a word and a colour. @param {{status: string}} props */
export function Status({ status }) {
  return html`<span class=${`status ${status}`}>${/** @type {Record<string, string>} */ (strings.status)[status] ?? status}</span>`;
}

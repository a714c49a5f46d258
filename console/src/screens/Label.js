import { html } from "../html.js";
import { Page } from "../parts/Page.js";

/** @param {{api: import("../api.js").Api, params: any}} props */
export function Label({ params }) {
  return html`<${Page} title="Label" lead=${params.model} />`;
}

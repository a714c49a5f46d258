import { html } from "../html.js";
import { Page } from "../parts/Page.js";

/** @param {{api: import("../api.js").Api, params: any}} props */
export function Training({ params }) {
  return html`<${Page} title="Training" lead=${params.model} />`;
}

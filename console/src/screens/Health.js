import { html } from "../html.js";
import { Page } from "../parts/Page.js";

/** @param {{api: import("../api.js").Api, params: any}} props */
export function Health({ params }) {
  return html`<${Page} title="Health" lead=${params.model} />`;
}

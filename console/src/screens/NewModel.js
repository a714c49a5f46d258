import { html } from "../html.js";
import { Page } from "../parts/Page.js";

/** @param {{api: import("../api.js").Api, params: any}} props */
export function NewModel({ params }) {
  return html`<${Page} title="NewModel" lead=${params.model} />`;
}

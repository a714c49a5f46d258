import { html } from "../html.js";
import { Page } from "../parts/Page.js";

/** @param {{api: import("../api.js").Api, params: any}} props */
export function Try({ params }) {
  return html`<${Page} title="Try" lead=${params.model} />`;
}

// The tabs of a model. Screens of a version need its number: the live one, or else the latest.
import { html } from "../html.js";
import { link } from "../router.js";
import { strings } from "../strings.js";

/**
 * here: "overview", "quality", "errors", "label", "compare" or "try". version: null where no version is ready.
 * @param {{api: import("../api.js").Api, model: string, version: number | string | null, here: string}} props
 */
export function ModelNav({ api, model, version, here }) {
  const of = (/** @type {string} */ name) => (version ? link(["models", model, "versions", version, name]) : null);
  const tabs = [
    ["overview", link(["models", model])],
    ["quality", of("quality")],
    ["errors", of("errors")],
    ["label", api.mayEdit && version ? link(["models", model, "label"]) : null],
    ["compare", version ? link(["models", model, "compare"]) : null],
    ["try", version ? link(["models", model, "try"]) : null],
  ];
  return html`
    <nav class="tabs" aria-label=${strings.nav.ofModel(model)}>
      <ul>
        ${tabs.map(
          ([name, address]) =>
            address &&
            html`<li key=${name}><a href=${address} aria-current=${name === here ? "page" : undefined}>${/** @type {any} */ (strings.nav)[/** @type {string} */ (name)]}</a></li>`,
        )}
      </ul>
    </nav>
  `;
}

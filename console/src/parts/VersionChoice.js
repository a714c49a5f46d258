// A menu of the versions that are ready, which leads to the same screen of another version.
import { html } from "../html.js";
import { useLoad } from "./useLoad.js";
import { go } from "../router.js";
import { strings } from "../strings.js";

/**
 * versions: those to choose from. label: what the menu is for, if not the screen's version.
 * @param {{versions: any[] | null, version: number | null, addressOf: (version: number) => string, label?: string}} props
 */
export function VersionChoice({ versions, version, addressOf, label = strings.quality.version }) {
  if (!versions || versions.length < 2) return null;
  return html`
    <label class="choice">
      <span>${label}</span>
      <select value=${version ?? ""} onChange=${(/** @type {any} */ event) => go(addressOf(Number(event.target.value)))}>
        ${version === null && html`<option value=""></option>`}
        ${versions.map((each) => html`<option key=${each.version} value=${each.version}>${strings.quality.versionName(each.version, each.live)}</option>`)}
      </select>
    </label>
  `;
}

/** The newest ready versions of a model. @param {import("../api.js").Api} api @param {string} model */
export function useVersions(api, model) {
  return useLoad(
    async (signal) => {
      const page = await api.get(`models/${encodeURIComponent(model)}/versions`, { limit: 200 }, signal);
      return /** @type {any[]} */ (page.versions.filter((/** @type {any} */ each) => each.status === "ready"));
    },
    [model],
  );
}

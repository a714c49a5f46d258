// The shell: the key, the frame around each screen, and which address is which screen.
import { render } from "preact";
import { Api } from "./api.js";
import { html, useEffect, useMemo, useState } from "./html.js";
import { Key } from "./parts/Key.js";
import { Page } from "./parts/Page.js";
import { link, match, usePlace } from "./router.js";
import { Compare } from "./screens/Compare.js";
import { Errors } from "./screens/Errors.js";
import { Health } from "./screens/Health.js";
import { Label } from "./screens/Label.js";
import { Models } from "./screens/Models.js";
import { NewModel } from "./screens/NewModel.js";
import { Quality } from "./screens/Quality.js";
import { Training } from "./screens/Training.js";
import { Try } from "./screens/Try.js";
import { strings } from "./strings.js";

const ROUTES = {
  "": Models,
  models: Models,
  new: NewModel,
  "models/:model": Training,
  "models/:model/versions/:version": Training,
  "models/:model/versions/:version/quality": Quality,
  "models/:model/versions/:version/errors": Errors,
  "models/:model/label": Label,
  "models/:model/compare": Compare,
  "models/:model/try": Try,
  health: Health,
};
const KEPT = "winnow-key";

function Console() {
  const at = usePlace();
  const [api, setApi] = useState(/** @type {Api | null} */ (null));
  const [lost, setLost] = useState(false);
  const kept = useMemo(() => sessionStorage.getItem(KEPT), []);

  useEffect(() => {
    if (api) api.onKeyLost = () => setLost(true);
  }, [api]);

  /** @param {Api} checked @param {boolean} keep */
  const opened = (checked, keep) => {
    if (keep) sessionStorage.setItem(KEPT, checked.key);
    else sessionStorage.removeItem(KEPT);
    if (api) {
      // The screen stays as it is, with what was typed.
      api.key = checked.key;
      api.whoami = checked.whoami;
    } else {
      setApi(checked);
    }
    setLost(false);
  };
  const forget = () => {
    sessionStorage.removeItem(KEPT);
    location.hash = "";
    location.reload();
  };

  const route = match(/** @type {Record<string, any>} */ (ROUTES), at);
  // Another model or version is another screen; another query is the same one.
  const screen = route ? html`<${route.target} key=${at.path} api=${api} params=${route.params} />` : html`<${NotFound} />`;
  return html`
    <a class="skip" href="#content" onClick=${skip}>${strings.nav.skip}</a>
    <header class="top">
      <a class="brand" href=${link(["models"])}><img src="docs/favicon.svg" alt="" width="24" height="24" /><span>${strings.common.name}</span></a>
      ${api &&
      html`<nav aria-label=${strings.nav.main}>
          <ul>
            <li><a href=${link(["models"])} aria-current=${at.parts[0] !== "health" ? "page" : undefined}>${strings.nav.models}</a></li>
            ${api.mayRead && html`<li><a href=${link(["health"])} aria-current=${at.parts[0] === "health" ? "page" : undefined}>${strings.nav.health}</a></li>`}
            <li><a href="docs">${strings.nav.apiDocs}</a></li>
          </ul>
        </nav>
        <div class="who">
          <span class="muted">${api.whoami?.name ?? ""}${api.whoami?.role ? ` (${api.whoami.role})` : ""}</span>
          <button type="button" class="quiet" onClick=${forget}>${strings.key.forget}</button>
        </div>`}
    </header>
    <main id="content" tabindex="-1">
      ${api ? screen : html`<${Key} kept=${kept} onOpen=${opened} />`}
      ${lost && html`<${Key} lost onOpen=${opened} />`}
    </main>
  `;
}

/** Move the focus, and leave the address, which names the screen. @param {Event} event */
function skip(event) {
  event.preventDefault();
  document.getElementById("content")?.focus();
}

function NotFound() {
  return html`<${Page} title=${strings.notFound.title} lead=${strings.notFound.lead}>
    <p><a class="button" href=${link(["models"])}>${strings.notFound.back}</a></p>
  <//>`;
}

const root = /** @type {HTMLElement} */ (document.getElementById("console"));
root.textContent = "";
render(html`<${Console} />`, root);

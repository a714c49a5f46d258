// The frame of a screen: its heading, one sentence, its actions. The heading gets the focus after a navigation.
import { html, useEffect, useLayoutEffect, useRef } from "../html.js";
import { strings } from "../strings.js";

let navigations = 0;
addEventListener("hashchange", () => navigations++);

/** @param {{title: string, lead?: any, actions?: any, children?: any}} props */
export function Page({ title, lead, actions, children }) {
  const heading = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    document.title = `${title} · ${strings.common.name}`;
  }, [title]);
  // At once: later it could take the focus from a field that somebody types in already.
  useLayoutEffect(() => {
    if (navigations > 0) heading.current?.focus({ preventScroll: true });
  }, []);
  return html`
    <header class="page-head">
      <div>
        <h1 ref=${heading} tabindex="-1">${title}</h1>
        ${lead && html`<p class="lead">${lead}</p>`}
      </div>
      ${actions && html`<div class="actions">${actions}</div>`}
    </header>
    ${children}
  `;
}

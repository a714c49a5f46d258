// What became of feedback that was sent: its training, until that ends.
import { html, useEffect } from "../html.js";
import { useLoad } from "./useLoad.js";
import { link } from "../router.js";
import { strings } from "../strings.js";

const words = strings.outcome;
const UNDER_WAY = ["queued", "training", "evaluating"];

/**
 * said: the sentence until the training ends. version: that of the training, null if none was started.
 * @param {{api: import("../api.js").Api, model: string, version: number | null, said: string, onEnd?: () => void}} props
 */
export function Outcome({ api, model, version, said, onEnd = () => {} }) {
  const { value: found } = useLoad(
    (signal) => (version === null ? Promise.resolve(null) : api.get(`models/${encodeURIComponent(model)}/versions/${version}`, {}, signal)),
    [model, version],
    { every: (value) => (value && UNDER_WAY.includes(value.status) ? 2 : null) },
  );
  const ended = found !== null && !UNDER_WAY.includes(found.status);
  useEffect(() => {
    if (ended) onEnd();
  }, [ended]);
  const address = ended && found.status === "ready" ? link(["models", model, "compare"], { to: version }) : link(["models", model]);
  return html`<p class=${ended && !found.live ? "notice" : "notice good"} role="status">
    ${ended ? words.ended(found) : said} <a href=${address}>${ended ? (found.status === "ready" ? words.compare : words.see) : words.watch}</a>
  </p>`;
}

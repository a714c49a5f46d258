// The dial: how many texts are answered against how many of the answers are right, and the policy that follows.
import { html, useEffect, useState } from "../html.js";
import { percent } from "../format.js";
import { Interval } from "./Interval.js";
import { Loading } from "./Loading.js";
import { Plot } from "./Charts.js";
import { Problem } from "./Problem.js";
import { useLoad } from "./useLoad.js";
import { link } from "../router.js";
import { strings } from "../strings.js";

const words = strings.quality;

/**
 * live: the model's live version, which a policy is about.
 * @param {{api: import("../api.js").Api, model: string, version: number, live: number | null}} props
 */
export function Dial({ api, model, version, live }) {
  const path = `models/${encodeURIComponent(model)}`;
  const loaded = useLoad((signal) => api.get(`${path}/versions/${version}/tradeoff`, {}, signal), [model, version]);
  if (loaded.problem) return loaded.problem.kind === "no-tradeoff" ? html`<p class="notice">${loaded.problem.detail}</p>` : html`<${Problem} error=${loaded.problem} onRetry=${loaded.reload} />`;
  if (!loaded.value) return html`<${Loading} />`;
  if (!loaded.value.curve.length) return html`<p class="notice">${words.dialEmpty}</p>`;
  return html`<${Turned} api=${api} model=${model} version=${version} live=${live} tradeoff=${loaded.value} />`;
}

/** @param {{api: import("../api.js").Api, model: string, version: number, live: number | null, tradeoff: any}} props */
function Turned({ api, model, version, live, tradeoff }) {
  const { curve, own } = tradeoff;
  const [at, setAt] = useState(() => nearest(curve, own.answered_share));
  const chosen = curve[at];
  const drag = (/** @type {PointerEvent} */ event) => {
    if (event.type === "pointermove" && !event.buttons) return;
    const box = /** @type {Element} */ (event.currentTarget).getBoundingClientRect();
    setAt(nearest(curve, (event.clientX - box.left) / box.width));
  };
  // The axis begins below the lowest interval, so that the fall is visible.
  const from = Math.max(0, Math.floor(Math.min(...curve.map((/** @type {any} */ point) => point.right_interval[0])) * 10) / 10);
  return html`
    <div class="dial">
      <div class="dial-figures" aria-live="polite">
        <div>
          <p class="figure">${percent(chosen.answered_share)}</p>
          <p class="muted small">${words.answered}</p>
          <${Interval} share=${chosen.answered_share} low=${chosen.answered_interval[0]} high=${chosen.answered_interval[1]} />
        </div>
        <div>
          <p class="figure">${percent(chosen.right_share)}</p>
          <p class="muted small">${words.answeredRight}</p>
          <${Interval} share=${chosen.right_share} low=${chosen.right_interval[0]} high=${chosen.right_interval[1]} />
        </div>
      </div>
      <${Curve} curve=${curve} own=${own} chosen=${chosen} from=${from} onDrag=${drag} />
      <label class="field">
        <span class="field-label">${words.dialLabel}</span>
        <input
          type="range"
          min="0"
          max=${curve.length - 1}
          step="1"
          value=${at}
          aria-valuetext=${words.dialValue(chosen.answered_share, chosen.right_share)}
          onInput=${(/** @type {any} */ event) => setAt(Number(event.target.value))}
        />
        <span class="dial-ends small muted" aria-hidden="true"><span>${words.dialSure}</span><span>${words.dialAll}</span></span>
      </label>
      ${isOdd(curve) && html`<p class="notice small">${words.dialOdd} <a href=${link(["models", model, "versions", version, "errors"], { view: "suspects" })}>${words.dialSuspects}</a>.</p>`}
      <p class="small muted">${words.dialHow(tradeoff.examples, own.answered_share, own.right_share)}</p>
      <${Policy} api=${api} model=${model} version=${version} live=${live} tradeoff=${tradeoff} chosen=${chosen} />
    </div>
  `;
}

/** @param {{curve: any[], own: any, chosen: any, from: number, onDrag: (event: PointerEvent) => void}} props */
function Curve({ curve, own, chosen, from, onDrag }) {
  // As in Plot: 420 by 260, with the margins 44, 12, 12 and 34.
  const x = (/** @type {number} */ share) => 44 + share * 364;
  const y = (/** @type {number} */ share) => 226 - (from < 1 ? (share - from) / (1 - from) : 1) * 214;
  const points = curve.map((point) => `${x(point.answered_share)},${y(point.right_share)}`);
  const high = curve.map((point) => `${x(point.answered_share)},${y(point.right_interval[1])}`);
  const low = curve.map((point) => `${x(point.answered_share)},${y(point.right_interval[0])}`);
  return html`
    <div class="dial-plot">
      <${Plot} label=${words.dialAlt} from=${from} x=${[0, 0.25, 0.5, 0.75, 1].map((share) => [share, percent(share, 0)])} xTitle=${words.answeredAxis}>
        <polygon class="band" points=${[...high, ...low.reverse()].join(" ")} />
        <polyline class="curve" points=${points.join(" ")} />
        ${own.answered > 0 && html`<circle class="own" cx=${x(own.answered_share)} cy=${y(own.right_share)} r="5" />`}
        <line class="hand" x1=${x(chosen.answered_share)} x2=${x(chosen.answered_share)} y1="12" y2="226" />
        <circle class="point large" cx=${x(chosen.answered_share)} cy=${y(chosen.right_share)} r="7" />
        <rect class="grip" x="44" y="12" width="364" height="214" onPointerDown=${onDrag} onPointerMove=${onDrag} />
      <//>
    </div>
  `;
}

/** What is accepted now, and how to change it. @param {{api: import("../api.js").Api, model: string, version: number, live: number | null, tradeoff: any, chosen: any}} props */
function Policy({ api, model, version, live, tradeoff, chosen }) {
  const path = `models/${encodeURIComponent(model)}/policy`;
  const now = useLoad((signal) => api.call("GET", path, { query: { limit: 1 }, signal }), [model]);
  const [kind, setKind] = useState("promise");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState(/** @type {any} */ (null));
  const [saved, setSaved] = useState("");
  useEffect(() => setSaved(""), [chosen, kind]);

  // The lower end of the interval is what fresh texts should reach too.
  const promise = Math.max(1, Math.min(99, Math.floor(chosen.right_interval[0] * 100)));
  const send = async (/** @type {string} */ method, /** @type {any} */ body, /** @type {string} */ done) => {
    setBusy(true);
    setProblem(null);
    try {
      await api.call(method, path, { body, ifMatch: now.value?.etag });
      setSaved(done);
      now.reload();
    } catch (error) {
      setProblem(error);
    }
    setBusy(false);
  };
  const save = (/** @type {Event} */ event) => {
    event.preventDefault();
    const thresholds = Object.fromEntries(tradeoff.per_label.map((/** @type {any} */ each) => [each.label, chosen.threshold]));
    return send("PUT", kind === "promise" ? { min_precision: promise / 100 } : { thresholds }, words.policySaved);
  };
  const again = () => {
    setProblem(null);
    now.reload();
  };
  const policy = now.value?.body;
  const mayChange = api.mayEdit && live === version && policy;
  return html`
    <div class="policy">
      ${now.problem ? html`<${Problem} error=${now.problem} onRetry=${now.reload} />` : html`<p>${policy ? words.policyNow(policy) : ""}</p>`}
      ${api.mayEdit && live !== version && live !== null && html`<p class="notice">${words.policyOfLive(live)} <a href=${link(["models", model, "versions", live, "quality"])}>${words.openVersion(live)}</a></p>`}
      ${mayChange &&
      html`<form onSubmit=${save}>
        <fieldset>
          <legend>${words.policyTitle}</legend>
          <label class="check"><input type="radio" name="policy" checked=${kind === "promise"} onChange=${() => setKind("promise")} /><span>${words.policyPromise(promise)}<span class="hint">${words.promiseHow(chosen.right_share)}</span></span></label>
          <label class="check"><input type="radio" name="policy" checked=${kind === "threshold"} onChange=${() => setKind("threshold")} /><span>${words.policyThreshold(chosen.threshold)}</span></label>
        </fieldset>
        <p class="actions">
          <button class="primary" disabled=${busy}>${words.policySave}</button>
          ${policy.policy && html`<button type="button" disabled=${busy} onClick=${() => send("DELETE", undefined, words.policyRemoved)}>${words.policyRemove}</button>`}
          <span role="status">${saved}</span>
        </p>
      </form>`}
      <${Problem} error=${problem} api=${api} model=${model} onReload=${problem?.status === 412 ? again : undefined} />
    </div>
  `;
}

/** Whether the surest answers are right less often than all of them are. @param {any[]} curve */
const isOdd = (curve) => curve.slice(0, Math.ceil(curve.length / 3)).some((point) => point.right_share < curve[curve.length - 1].right_share - 0.02);

/** The place of the point whose share of answered texts is nearest. @param {any[]} curve @param {number} share */
export function nearest(curve, share) {
  const distances = curve.map((point) => Math.abs(point.answered_share - share));
  return distances.indexOf(Math.min(...distances));
}

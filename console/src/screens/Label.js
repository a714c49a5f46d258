// Screen 6: the review queue, one text at a time.
import { html, useEffect, useRef, useState } from "../html.js";
import { percent } from "../format.js";
import { Field } from "../parts/Field.js";
import { LabelPicker } from "../parts/LabelPicker.js";
import { Loading } from "../parts/Loading.js";
import { ModelNav } from "../parts/ModelNav.js";
import { Page } from "../parts/Page.js";
import { Problem } from "../parts/Problem.js";
import { Progress } from "../parts/Progress.js";
import { useBasket } from "../parts/basket.js";
import { useLoad } from "../parts/useLoad.js";
import { link } from "../router.js";
import { strings } from "../strings.js";

const words = strings.label;
// What is asked for at once, and how many of the answers may wait. The newest ones stay, because the user may undo them.
const [AT_ONCE, MOST_WAITING, UNDOABLE] = [20, 10, 5];
const MOST_KEYS = 9;

/** @param {{api: import("../api.js").Api, params: any}} props */
export function Label({ api, params: { model } }) {
  const path = `models/${encodeURIComponent(model)}`;
  const loaded = useLoad((signal) => api.get(path, {}, signal), [model]);
  const found = loaded.value;
  const version = found ? (found.live_version ?? (found.version?.status === "ready" ? found.version.version : null)) : null;
  return html`
    <${Page} title=${words.title(model)} lead=${words.lead}>
      <${ModelNav} api=${api} model=${model} version=${version} here="label" />
      <${Problem} error=${loaded.problem} onRetry=${loaded.reload} />
      ${!found && loaded.loading && html`<${Loading} />`}
      ${found && (!api.mayEdit ? html`<p class="notice">${words.mayNot}</p>` : version === null ? html`<p class="notice">${words.noVersion}</p>` : html`<${Queue} api=${api} found=${found} version=${version} onModel=${loaded.reload} />`)}
    <//>
  `;
}

/** @param {{api: import("../api.js").Api, found: any, version: number, onModel: () => void}} props */
function Queue({ api, found, version, onModel }) {
  const model = found.model_id;
  const handed = useHanded(api, model);
  const basket = useBasket("answers", model);
  const [problem, setProblem] = useState(/** @type {any} */ (null));
  const [done, setDone] = useState(/** @type {any} */ (null));
  const [busy, setBusy] = useState(false);

  const send = async (/** @type {string} */ retrain, leave = 0) => {
    setBusy(true);
    setProblem(null);
    try {
      const answer = await basket.send(api, model, retrain, leave);
      if (answer) onModel();
      if (answer?.version && !leave) setDone(answer);
    } catch (error) {
      setProblem(error);
    }
    setBusy(false);
  };
  const answered = (/** @type {any} */ item, /** @type {string[]} */ labels) => {
    const sent = { text: item.text, ...(handed.page.exclusive ? { label: labels[0] } : { labels }) };
    basket.put({ id: item.item, sent, shown: { item, said: labels.join(", ") || words.noLabels } });
    handed.leave(item.item);
    if (basket.state.items.length >= MOST_WAITING && !busy) send("auto", UNDOABLE);
  };
  const undo = () => {
    const last = basket.undo();
    if (last) handed.back(last.shown.item);
  };
  // Somebody who goes to another screen has decided.
  useEffect(
    () => () => {
      basket.send(api, model, "auto").catch(() => {});
    },
    [],
  );

  if (handed.problem?.kind === "review-queue-not-found") return html`<${NoQueue} api=${api} model=${model} onMade=${handed.ask} />`;
  const waiting = found.waiting_examples + basket.size;
  return html`
    <${Toward} waiting=${waiting} after=${found.retrain_after} />
    <${Problem} error=${handed.problem} onRetry=${handed.ask} />
    ${handed.loading && html`<${Loading} />`}
    ${!handed.loading && handed.page && (handed.item ? html`<${One} api=${api} model=${model} version=${version} page=${handed.page} item=${handed.item} last=${basket.state.items.at(-1)} onAnswer=${answered} onSkip=${handed.skip} onUndo=${undo} />` : html`<${Nothing} page=${handed.page} onAgain=${handed.ask} last=${basket.state.items.at(-1)} onUndo=${undo} />`)}
    <${Problem} error=${problem} onRetry=${() => send("auto")} />
    ${done && !basket.size && html`<p class="notice good" role="status">${words.training(done)} <a href=${link(["models", model])}>${strings.errors.watch}</a></p>`}
    ${waiting > 0 && html`<p class="actions"><button type="button" class=${handed.item ? "" : "primary"} disabled=${busy || !basket.size} onClick=${() => send("now")}>${words.train(waiting)}</button><span class="muted small">${words.unsent(basket.size)}</span></p>`}
    ${handed.page && html`<p class="muted small">${words.left(handed.page.left)}</p>`}
  `;
}

/**
 * The texts that the API has handed out to this tab. They are kept in its session: after a reload, the API would hand out others.
 * @param {import("../api.js").Api} api @param {string} model
 */
function useHanded(api, model) {
  const name = `winnow-queue ${document.baseURI.split("#")[0]} ${model}`;
  const [page, setPage] = useState(/** @type {any} */ (null));
  const [problem, setProblem] = useState(/** @type {any} */ (null));
  const [loading, setLoading] = useState(true);
  const keep = (/** @type {any} */ next) => {
    sessionStorage.setItem(name, JSON.stringify(next));
    setPage(next);
  };
  const ask = async () => {
    setLoading(true);
    setProblem(null);
    try {
      keep(await api.get(`models/${encodeURIComponent(model)}/queue`, { limit: AT_ONCE }));
    } catch (error) {
      setProblem(error);
    }
    setLoading(false);
  };
  useEffect(() => {
    const kept = JSON.parse(sessionStorage.getItem(name) ?? "null");
    if (kept?.items.length && new Date(kept.handed_out_until) > new Date()) {
      setPage(kept);
      setLoading(false);
    } else {
      ask();
    }
  }, [model]);
  const without = (/** @type {string} */ id) => page.items.filter((/** @type {any} */ each) => each.item !== id);
  const leave = (/** @type {string} */ id, answered = 1) => {
    const items = without(id);
    keep({ ...page, items, left: Math.max(0, page.left - answered) });
    if (!items.length && page.left - answered > 0) ask();
  };
  return {
    page,
    problem,
    loading,
    ask,
    item: page?.items[0] ?? null,
    leave,
    // A skipped text stays in the queue, and the API hands it out again in ten minutes.
    skip: (/** @type {string} */ id) => leave(id, 0),
    back: (/** @type {any} */ item) => keep({ ...page, items: [item, ...without(item.item)], left: page.left + 1 }),
  };
}

/** @param {{waiting: number, after: number | null}} props */
function Toward({ waiting, after }) {
  if (!after) return html`<p class="muted">${words.waiting(waiting)}</p>`;
  const text = words.toward(Math.min(waiting, after), after);
  return html`<div class="toward"><p class="small">${text}</p><${Progress} label=${text} percent=${Math.min(100, Math.round((waiting / after) * 100))} /></div>`;
}

/**
 * One text: a number key for each likely label.
 * @param {{api: import("../api.js").Api, model: string, version: number, page: any, item: any, last: any, onAnswer: (item: any, labels: string[]) => void,
 *   onSkip: (id: string) => void, onUndo: () => void}} props
 */
function One({ api, model, version, page, item, last, onAnswer, onSkip, onUndo }) {
  const several = !page.exclusive;
  const [picking, setPicking] = useState(false);
  // The card stays when the text changes, and with it the focus: the next key may come before the page is drawn.
  const [taken, setTaken] = useState({ item: "", labels: /** @type {string[]} */ ([]) });
  const picked = taken.item === item.item ? taken.labels : [];
  const card = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    if (!card.current?.contains(document.activeElement) || document.activeElement?.tagName === "BUTTON") card.current?.focus({ preventScroll: true });
  }, [item.item]);
  const offered = item.labels.slice(0, MOST_KEYS);
  const choose = (/** @type {string} */ label) => {
    if (!several) onAnswer(item, [label]);
    else setTaken({ item: item.item, labels: picked.includes(label) ? picked.filter((each) => each !== label) : [...picked, label] });
  };
  const pressed = (/** @type {KeyboardEvent} */ event) => {
    if (picking || event.ctrlKey || event.metaKey || event.altKey) return;
    const offer = offered[Number(event.key) - 1];
    if (offer) choose(offer.label);
    else if (event.key === "0") setPicking(true);
    else if (event.key.toLowerCase() === "s") onSkip(item.item);
    else if (event.key.toLowerCase() === "u") onUndo();
    else if (event.key === "Enter" && several && event.target === card.current) onAnswer(item, picked);
    else return;
    event.preventDefault();
  };
  const group = page.groups.find((/** @type {any} */ each) => each.group === item.group);
  return html`
    <div class="card one" tabindex="-1" ref=${card} onKeyDown=${pressed} role="group" aria-label=${words.one}>
      <p class="one-text" dir="auto">${item.text}</p>
      ${group && html`<p class="small muted">${words.group(group)}</p>`}
      <ul class="offers">
        ${offered.map(
          (/** @type {any} */ offer, /** @type {number} */ place) => html`
            <li key=${offer.label}>
              <button type="button" class="offer" aria-pressed=${several ? picked.includes(offer.label) : undefined} onClick=${() => choose(offer.label)}>
                <kbd>${place + 1}</kbd> <bdi>${offer.label}</bdi> <span class="muted small">${percent(offer.score, 0)}</span>
              </button>
            </li>
          `,
        )}
      </ul>
      <p class="actions">
        ${several && html`<button type="button" class="primary" onClick=${() => onAnswer(item, picked)}>${words.take(picked)} <kbd>↵</kbd></button>`}
        <button type="button" onClick=${() => setPicking(true)}>${words.other} <kbd>0</kbd></button>
        <button type="button" class="quiet" onClick=${() => onSkip(item.item)}>${words.skip} <kbd>S</kbd></button>
        ${last && html`<button type="button" class="quiet" onClick=${onUndo}>${words.undo(last.shown.said)} <kbd>U</kbd></button>`}
      </p>
    </div>
    ${picking &&
    html`<${Picking}
      api=${api}
      model=${model}
      version=${version}
      item=${item}
      several=${several}
      picked=${picked}
      onPick=${(/** @type {string[]} */ labels) => {
        setPicking(false);
        onAnswer(item, labels);
      }}
      onClose=${() => setPicking(false)}
    />`}
  `;
}

/** @param {{api: import("../api.js").Api, model: string, version: number, item: any, several: boolean, picked: string[], onPick: (labels: string[]) => void, onClose: () => void}} props */
function Picking({ api, model, version, item, several, picked, onPick, onClose }) {
  // The queue names the likely labels only. An evaluation has them all; a version of label names alone has none.
  const all = useLoad(
    (signal) =>
      api.get(`models/${encodeURIComponent(model)}/versions/${version}/evaluation`, {}, signal).then(
        (evaluation) => Object.keys(evaluation.per_label),
        () => [],
      ),
    [model, version],
  );
  if (!all.value) return null;
  const likely = item.labels.map((/** @type {any} */ each) => each.label);
  return html`<${LabelPicker} labels=${[...new Set([...likely, ...all.value])]} chosen=${picked} several=${several} text=${item.text} onPick=${onPick} onClose=${onClose} />`;
}

/** @param {{page: any, last: any, onAgain: () => void, onUndo: () => void}} props */
function Nothing({ page, last, onAgain, onUndo }) {
  return html`
    <div class="card">
      <h2>${page.left ? words.handedOut : words.allDone}</h2>
      <p>${page.left ? words.handedOutText(page.left) : words.allDoneText}</p>
      <p class="actions">
        <button type="button" onClick=${onAgain}>${strings.common.tryAgain}</button>
        ${last && html`<button type="button" class="quiet" onClick=${onUndo}>${words.undo(last.shown.said)}</button>`}
      </p>
    </div>
  `;
}

/** Makes the queue of a file of texts. @param {{api: import("../api.js").Api, model: string, onMade: () => void}} props */
function NoQueue({ api, model, onMade }) {
  const [file, setFile] = useState(/** @type {File | null} */ (null));
  const [share, setShare] = useState(/** @type {number | null} */ (null));
  const [problem, setProblem] = useState(/** @type {any} */ (null));
  const make = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (!file) return;
    setProblem(null);
    setShare(0);
    try {
      const { s3bucket, training_object: object } = await api.upload(file, file.name, setShare);
      await api.call("POST", `models/${encodeURIComponent(model)}/queue`, { body: { s3bucket, object } });
      onMade();
    } catch (error) {
      setProblem(error);
      setShare(null);
    }
  };
  return html`
    <form class="card narrow" onSubmit=${make}>
      <h2>${words.noQueue}</h2>
      <p>${words.noQueueText}</p>
      <${Field} label=${words.file} hint=${words.fileHint}>
        <input type="file" required accept=".csv,.tsv,.txt,.json,.jsonl,.gz" onChange=${(/** @type {any} */ event) => setFile(event.target.files[0] ?? null)} />
      <//>
      ${share !== null && html`<${Progress} label=${share < 1 ? words.uploading : words.choosing} percent=${share < 1 ? Math.round(share * 100) : null} /><p class="small" role="status">${share < 1 ? words.uploading : words.choosing}</p>`}
      <${Problem} error=${problem} />
      <p class="actions"><button class="primary" disabled=${!file || share !== null}>${words.make}</button></p>
    </form>
  `;
}

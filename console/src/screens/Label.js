// Screen 6: the review queue, one text at a time.
import { html, useEffect, useLayoutEffect, useRef, useState } from "../html.js";
import { percent } from "../format.js";
import { Drop } from "../parts/Drop.js";
import { Field } from "../parts/Field.js";
import { LabelPicker } from "../parts/LabelPicker.js";
import { Loading } from "../parts/Loading.js";
import { ModelNav } from "../parts/ModelNav.js";
import { Outcome } from "../parts/Outcome.js";
import { Page } from "../parts/Page.js";
import { Problem } from "../parts/Problem.js";
import { Progress } from "../parts/Progress.js";
import { Rows } from "../parts/Rows.js";
import { useBasket } from "../parts/basket.js";
import { singleLabels, trainPending } from "../parts/pending.js";
import { useLoad } from "../parts/useLoad.js";
import { preview } from "../preview.js";
import { strings } from "../strings.js";

const words = strings.label;
// What is asked for at once, and how many of the answers may wait. The newest ones stay, because the user may undo them.
const [AT_ONCE, MOST_WAITING, UNDOABLE] = [20, 10, 5];
const MOST_KEYS = 9;

/** @param {{api: import("../api.js").Api, params: any}} props */
export function Label({ api, params: { model } }) {
  const path = `models/${encodeURIComponent(model)}`;
  const loaded = useLoad(
    async (signal) => {
      const found = await api.get(path, {}, signal);
      const version = found.live_version ?? (found.version?.status === "ready" ? found.version.version : null);
      // Feedback builds on this version, and does as it did.
      const own = version === null || version === found.version?.version ? found.version : await api.get(`${path}/versions/${version}`, {}, signal);
      return { found, version, promote: own?.promote };
    },
    [model],
  );
  const { found, version, promote } = loaded.value ?? { found: null, version: null, promote: "" };
  return html`
    <${Page} title=${words.title(model)} lead=${words.lead}>
      <${ModelNav} api=${api} model=${model} version=${version} here="label" />
      <${Problem} error=${loaded.problem} onRetry=${loaded.reload} />
      ${!found && loaded.loading && html`<${Loading} />`}
      ${found && (!api.mayEdit ? html`<p class="notice">${words.mayNot}</p>` : version === null ? html`<p class="notice">${words.noVersion}</p>` : html`<${Queue} api=${api} found=${found} version=${version} promote=${promote} onModel=${loaded.reload} />`)}
    <//>
  `;
}

/** @param {{api: import("../api.js").Api, found: any, version: number, promote: string, onModel: () => void}} props */
function Queue({ api, found, version, promote, onModel }) {
  const model = found.model_id;
  const basket = useBasket("answers", model);
  const handed = useHanded(api, model, basket);
  const [another, setAnother] = useState(false);
  // The answers since the last training, also those that are sent, and the labels that the version knows, once a list has shown them.
  const given = useRef({ labels: new Map(basket.items.map((item) => [item.id, item.shown.labels ?? []])), known: /** @type {string[]} */ ([]) });
  const [problem, setProblem] = useState(/** @type {any} */ (null));
  const [done, setDone] = useState(/** @type {any} */ (null));
  const [busy, setBusy] = useState(false);

  const send = async (/** @type {string} */ retrain, leave = 0) => {
    setBusy(true);
    setProblem(null);
    try {
      const answer = !basket.size && retrain === "now" ? await trainPending(api, model) : await basket.send(api, model, retrain, leave);
      if (answer) onModel();
      if (answer?.version && !leave) {
        given.current.labels.clear();
        setDone(answer);
      }
    } catch (error) {
      setProblem(error);
    }
    setBusy(false);
  };
  const answered = (/** @type {any} */ item, /** @type {string[]} */ labels, /** @type {string[]} */ known = []) => {
    setDone(null);
    given.current.labels.set(item.item, labels);
    if (known.length) given.current.known = known;
    const sent = { text: item.text, ...(handed.page.exclusive ? { label: labels[0] } : { labels }) };
    basket.put({ id: item.item, sent, shown: { item, labels, said: labels.join(", ") || words.noLabels } });
    handed.leave(item.item);
    if (basket.state.items.length >= MOST_WAITING && !busy) send("auto", UNDOABLE);
  };
  const undo = () => {
    const last = basket.undo();
    if (!last) return;
    given.current.labels.delete(last.id);
    handed.back(last.shown.item);
  };
  // Somebody who goes to another screen has decided.
  useEffect(
    () => () => {
      basket.send(api, model, "auto").catch(() => {});
    },
    [],
  );

  const made = () => {
    setAnother(false);
    return handed.ask({ anew: true });
  };
  if (another) return html`<${NoQueue} api=${api} model=${model} onMade=${made} onBack=${() => setAnother(false)} />`;
  if (handed.problem?.kind === "review-queue-not-found") return html`<${NoQueue} api=${api} model=${model} onMade=${made} />`;
  const single = singleLabels(given.current.labels.values(), given.current.known);
  const waiting = found.waiting_examples + basket.size;
  return html`
    <${Toward} waiting=${waiting} after=${found.retrain_after} />
    <${Problem} error=${handed.problem} onRetry=${() => handed.ask()} />
    ${handed.loading && html`<${Loading} />`}
    ${!handed.loading && handed.page && (handed.item ? html`<${One} api=${api} model=${model} version=${version} page=${handed.page} item=${handed.item} last=${basket.state.items.at(-1)} onAnswer=${answered} onSkip=${handed.skip} onUndo=${undo} />` : html`<${Nothing} page=${handed.page} onAgain=${() => handed.ask()} onSkipped=${handed.showSkipped} onAnother=${() => setAnother(true)} last=${basket.state.items.at(-1)} onUndo=${undo} />`)}
    <${Problem} error=${problem} onRetry=${() => send(basket.size ? "auto" : "now")} />
    ${done && !basket.size && html`<${Outcome} key=${done.version} api=${api} model=${model} version=${done.version} said=${strings.outcome.started(done)} onEnd=${onModel} />`}
    ${waiting > 0 &&
    html`
      ${single.length > 0 && html`<p class="notice" role="status">${strings.outcome.single(single)}</p>`}
      <p class="actions"><button type="button" class=${handed.item || handed.page?.skipped?.length ? "" : "primary"} disabled=${busy} onClick=${() => send("now")}>${words.train(waiting)}</button><span class="muted small">${words.unsent(basket.size)}</span></p>
      <p class="small muted">${promote === "never" ? strings.outcome.staysBack : strings.outcome.goesLive}</p>
    `}
    ${handed.page && html`<p class="muted small">${words.left(handed.page.left)}</p>`}
  `;
}

/**
 * The texts that the API has handed out to this tab. They are kept in its session: after a reload, the API would hand out others.
 * Those that were skipped are kept too. basket: the answers that the API may not have yet.
 * @param {import("../api.js").Api} api @param {string} model @param {import("../parts/basket.js").Basket} basket
 */
function useHanded(api, model, basket) {
  const name = `winnow-queue ${document.baseURI.split("#")[0]} ${model}`;
  const [page, setPage] = useState(/** @type {any} */ (null));
  const [problem, setProblem] = useState(/** @type {any} */ (null));
  const [loading, setLoading] = useState(true);
  // What a request that is under way finds when it ends.
  const current = useRef(/** @type {any} */ (null));
  const keep = (/** @type {any} */ next) => {
    current.current = next;
    sessionStorage.setItem(name, JSON.stringify(next));
    setPage(next);
  };
  const ask = async ({ anew = false } = {}) => {
    setLoading(true);
    setProblem(null);
    try {
      const next = await api.get(`models/${encodeURIComponent(model)}/queue`, { limit: AT_ONCE });
      const items = next.items.filter((/** @type {any} */ each) => !basket.find(each.item));
      const again = new Set(items.map((/** @type {any} */ each) => each.item));
      const skipped = anew ? [] : (current.current?.skipped ?? []).filter((/** @type {any} */ each) => !again.has(each.item));
      keep({ ...next, items, skipped, left: Math.max(items.length + skipped.length, next.left - basket.size) });
    } catch (error) {
      setProblem(error);
    }
    setLoading(false);
  };
  useEffect(() => {
    const kept = JSON.parse(sessionStorage.getItem(name) ?? "null");
    const isOurs = kept && new Date(kept.handed_out_until) > new Date();
    if (isOurs) current.current = kept;
    if (isOurs && (kept.items.length || kept.skipped?.length)) {
      setPage(kept);
      setLoading(false);
    } else {
      ask();
    }
  }, [model]);
  const without = (/** @type {string} */ id) => page.items.filter((/** @type {any} */ each) => each.item !== id);
  const leave = (/** @type {string} */ id, isSkipped = false) => {
    const items = without(id);
    const left = Math.max(0, page.left - (isSkipped ? 0 : 1));
    const skipped = [...(page.skipped ?? []), ...(isSkipped ? page.items.filter((/** @type {any} */ each) => each.item === id) : [])];
    keep({ ...page, items, left, skipped });
    if (!items.length && left > skipped.length) ask();
  };
  return {
    page,
    problem,
    loading,
    ask,
    item: page?.items[0] ?? null,
    leave,
    // A skipped text stays in the queue, and the API hands it out again in ten minutes. To this tab it is there at any time.
    skip: (/** @type {string} */ id) => leave(id, true),
    showSkipped: () => keep({ ...page, items: page.skipped, skipped: [] }),
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
 * @param {{api: import("../api.js").Api, model: string, version: number, page: any, item: any, last: any, onAnswer: (item: any, labels: string[], known?: string[]) => void,
 *   onSkip: (id: string) => void, onUndo: () => void}} props
 */
function One({ api, model, version, page, item, last, onAnswer, onSkip, onUndo }) {
  const several = !page.exclusive;
  const [picking, setPicking] = useState(false);
  // The card stays when the text changes, and with it the focus: the next key may come before the page is drawn.
  const [taken, setTaken] = useState({ item: "", labels: /** @type {string[]} */ ([]) });
  const picked = taken.item === item.item ? taken.labels : [];
  const card = useRef(/** @type {HTMLElement | null} */ (null));
  useLayoutEffect(() => {
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
              <button type="button" class="offer" title=${offer.label} aria-pressed=${several ? picked.includes(offer.label) : undefined} onClick=${() => choose(offer.label)}>
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
      onPick=${(/** @type {string[]} */ labels, /** @type {string[]} */ known) => {
        setPicking(false);
        onAnswer(item, labels, known);
      }}
      onClose=${() => setPicking(false)}
    />`}
  `;
}

/** @param {{api: import("../api.js").Api, model: string, version: number, item: any, several: boolean, picked: string[], onPick: (labels: string[], known: string[]) => void, onClose: () => void}} props */
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
  const { value: known } = all;
  if (!known) return null;
  const likely = item.labels.map((/** @type {any} */ each) => each.label);
  return html`<${LabelPicker} labels=${[...new Set([...likely, ...known])]} chosen=${picked} several=${several} text=${item.text} onPick=${(/** @type {string[]} */ labels) => onPick(labels, known)} onClose=${onClose} />`;
}

/** @param {{page: any, last: any, onAgain: () => void, onSkipped: () => void, onAnother: () => void, onUndo: () => void}} props */
function Nothing({ page, last, onAgain, onSkipped, onAnother, onUndo }) {
  const skipped = page.skipped?.length ?? 0;
  return html`
    <div class="card">
      <h2>${skipped ? words.skipped(skipped) : page.left ? words.handedOut : words.allDone}</h2>
      <p>${skipped ? words.skippedText : page.left ? words.handedOutText(page.left) : words.allDoneText}</p>
      <p class="actions">
        ${skipped
          ? html`<button type="button" class="primary" onClick=${onSkipped}>${words.showSkipped(skipped)}</button>`
          : html`<button type="button" onClick=${onAgain}>${strings.common.tryAgain}</button>`}
        <button type="button" onClick=${onAnother}>${words.another}</button>
        ${last && html`<button type="button" class="quiet" onClick=${onUndo}>${words.undo(last.shown.said)}</button>`}
      </p>
    </div>
  `;
}

/**
 * Makes the queue of a file of texts. onBack: there is a queue already, to which somebody may return.
 * @param {{api: import("../api.js").Api, model: string, onMade: () => void, onBack?: () => void}} props
 */
function NoQueue({ api, model, onMade, onBack }) {
  const [file, setFile] = useState(/** @type {File | null} */ (null));
  const [head, setHead] = useState(/** @type {any} */ (null));
  const [column, setColumn] = useState("");
  const [share, setShare] = useState(/** @type {number | null} */ (null));
  const [problem, setProblem] = useState(/** @type {any} */ (null));
  const take = async (/** @type {File} */ chosen) => {
    setProblem(null);
    const found = await preview(chosen);
    // A table of one column looks like lines, of which the first is its name.
    const columns = "columns" in found ? found.columns : /\.(csv|tsv|txt)$/i.test(chosen.name) && found.lines[0] ? [found.lines[0]] : [];
    setColumn(columns.find((name) => name.trim().toLowerCase() === "text") ?? (columns.length === 1 ? columns[0] : ""));
    setHead({ ...found, names: columns });
    setFile(chosen);
  };
  const make = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (!file) return;
    setProblem(null);
    setShare(0);
    try {
      const { s3bucket, training_object: object } = await api.upload(file, file.name, setShare);
      const layout = column && column !== "text" ? { text_column: column } : {};
      await api.call("POST", `models/${encodeURIComponent(model)}/queue`, { body: { s3bucket, object, ...layout } });
      onMade();
    } catch (error) {
      setProblem(error);
      setShare(null);
    }
  };
  return html`
    <form class="card" onSubmit=${make}>
      <h2>${words.noQueue}</h2>
      <p>${words.noQueueText} ${onBack && words.anotherText}</p>
      ${!file
        ? html`<${Drop} onFile=${take} title=${words.drop} /><p class="muted small">${words.fileHint}</p>`
        : html`
            <p><b>${file.name}</b> ${share === null && html`<button type="button" class="link" onClick=${() => setFile(null)}>${words.otherFile}</button>`}</p>
            <${Rows} preview=${head} roles=${new Map([[column, strings.new.text]])} />
            ${head.names.length > 0 &&
            html`<div class="narrow"><${Field} label=${strings.new.textColumn}>
              <select required value=${column} onChange=${(/** @type {any} */ event) => setColumn(event.target.value)}>
                <option value="">${words.chooseColumn}</option>
                ${head.names.map((/** @type {string} */ name) => html`<option key=${name} value=${name}>${name}</option>`)}
              </select>
            <//></div>`}
          `}
      ${share !== null && html`<${Progress} label=${share < 1 ? words.uploading : words.choosing} percent=${share < 1 ? Math.round(share * 100) : null} /><p class="small" role="status">${share < 1 ? words.uploading : words.choosing}</p>`}
      <${Problem} error=${problem} />
      <p class="actions">
        ${file && html`<button class="primary" disabled=${share !== null || (head.names.length > 0 && !column)}>${words.make}</button>`}
        ${onBack && share === null && html`<button type="button" onClick=${onBack}>${strings.common.cancel}</button>`}
      </p>
    </form>
  `;
}

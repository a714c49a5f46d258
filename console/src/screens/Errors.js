// Screen 5: the texts behind the numbers, and the corrections that the next version learns.
import { html, useEffect, useLayoutEffect, useRef, useState } from "../html.js";
import { percent } from "../format.js";
import { Explanation } from "../parts/Explanation.js";
import { Field } from "../parts/Field.js";
import { LabelPicker } from "../parts/LabelPicker.js";
import { Loading } from "../parts/Loading.js";
import { ModelNav } from "../parts/ModelNav.js";
import { Outcome } from "../parts/Outcome.js";
import { Page } from "../parts/Page.js";
import { Problem } from "../parts/Problem.js";
import { VersionChoice, useVersions } from "../parts/VersionChoice.js";
import { useBasket } from "../parts/basket.js";
import { singleLabels } from "../parts/pending.js";
import { useLoad } from "../parts/useLoad.js";
import { usePages } from "../parts/usePages.js";
import { link, setQuery } from "../router.js";
import { strings } from "../strings.js";

/**
 * A text of the list. labels and predicted: names with scores. suspect: why its label looks wrong.
 * @typedef {{id: string | null, text: string | null, labels: {label: string, score: number | null}[],
 *   predicted: {label: string, score: number | null}[] | null, note: string, learnt: boolean}} Shown
 */

const words = strings.errors;
const PAGE = 50;
const VIEWS = ["mistakes", "suspects", "all"];

/** @param {{api: import("../api.js").Api, params: any}} props */
export function Errors({ api, params: { model, version, query } }) {
  const path = `models/${encodeURIComponent(model)}`;
  const loaded = useLoad(
    async (signal) => {
      const [found, own, evaluation] = await Promise.all([
        api.get(path, {}, signal),
        api.get(`${path}/versions/${encodeURIComponent(version)}`, {}, signal),
        api.get(`${path}/versions/${encodeURIComponent(version)}/evaluation`, {}, signal).catch(() => null),
      ]);
      return { live: found.live_version, waiting: found.waiting_examples, promote: own.promote, several: own.dataset.exclusive === false, labels: Object.keys(evaluation?.per_label ?? {}) };
    },
    [model, version],
  );
  const versions = useVersions(api, model);
  const live = loaded.value?.live ?? null;
  const reload = () => {
    loaded.reload();
    versions.reload();
  };
  const actions = html`<${VersionChoice} versions=${versions.value} version=${Number(version)} addressOf=${(/** @type {number} */ other) => link(["models", model, "versions", other, "errors"], query)} />`;
  return html`
    <${Page} title=${words.title(model)} lead=${words.lead(version, live === Number(version))} actions=${actions}>
      <${ModelNav} api=${api} model=${model} version=${version} here="errors" />
      <${Problem} error=${loaded.problem} onRetry=${loaded.reload} />
      ${!loaded.value && loaded.loading && html`<${Loading} />`}
      ${loaded.value && html`<${Texts} api=${api} model=${model} version=${Number(version)} query=${query} ...${loaded.value} onChange=${reload} />`}
    <//>
  `;
}

/**
 * @param {{api: import("../api.js").Api, model: string, version: number, query: Record<string, string>, live: number | null, several: boolean,
 *   labels: string[], waiting: number, promote: string, onChange: () => void}} props
 */
function Texts({ api, model, version, query, live, several, labels, waiting, promote, onChange }) {
  const basket = useBasket("corrections", model);
  const [done, setDone] = useState(/** @type {any} */ (null));
  const [sent, keepSent] = useSent(model, version);
  const view = VIEWS.includes(query.view) ? query.view : "mistakes";
  // Corrections name examples of the version that feedback builds on: the live one.
  const mayCorrect = api.mayEdit && (live === null || live === version);
  const edit = { api, model, version, several, labels, basket, mayCorrect, waiting, promote, sent };
  const onSent = (/** @type {any} */ answer, /** @type {import("../parts/basket.js").Item[]} */ items) => {
    keepSent(items);
    setDone({ ...answer, sent: items.length });
    onChange();
    window.scrollTo({ top: 0 });
  };
  return html`
    ${done && html`<${Outcome} key=${done.batch} api=${api} model=${model} version=${done.version} said=${words.sent(done)} onEnd=${onChange} />`}
    <nav class="views" aria-label=${words.views}>
      <ul>
        ${VIEWS.map(
          (name) =>
            html`<li key=${name}><a href=${link(["models", model, "versions", version, "errors"], { ...query, view: name === "mistakes" ? null : name })} aria-current=${view === name ? "page" : undefined}>${/** @type {any} */ (words.view)[name]}</a></li>`,
        )}
      </ul>
    </nav>
    ${api.mayEdit && !mayCorrect && html`<p class="notice">${words.otherVersion(live)} <a href=${link(["models", model, "versions", /** @type {number} */ (live), "errors"], query)}>${strings.quality.openVersion(/** @type {number} */ (live))}</a></p>`}
    ${view === "suspects" ? html`<${Suspects} edit=${edit} />` : html`<${Found} edit=${edit} query=${query} view=${view} />`}
    ${mayCorrect && html`<${Sending} edit=${edit} onSent=${onSent} />`}
  `;
}

/**
 * What was sent about texts of a version, so that they aren't corrected twice: said by id. The tab's session keeps it.
 * @param {string} model @param {number} version @returns {[Record<string, string>, (items: import("../parts/basket.js").Item[]) => void]}
 */
function useSent(model, version) {
  const name = `winnow-sent ${document.baseURI.split("#")[0]} ${model} ${version}`;
  const [sent, setSent] = useState(() => JSON.parse(sessionStorage.getItem(name) ?? "{}"));
  useEffect(() => setSent(JSON.parse(sessionStorage.getItem(name) ?? "{}")), [name]);
  const keep = (/** @type {import("../parts/basket.js").Item[]} */ items) => {
    const all = { ...sent, ...Object.fromEntries(items.map((item) => [item.id, item.shown.said])) };
    sessionStorage.setItem(name, JSON.stringify(all));
    setSent(all);
  };
  return [sent, keep];
}

/** The examples that the query asks for. @param {{edit: any, query: Record<string, string>, view: string}} props */
function Found({ edit, query, view }) {
  const { api, model, version, labels } = edit;
  const sort = query.sort ?? (view === "all" ? "row" : "score");
  const asked = { label: query.label, predicted: query.predicted, contains: query.contains, sort, wrong: view === "all" ? undefined : "true", limit: PAGE };
  const list = usePages(
    (next, signal) => api.get(`models/${encodeURIComponent(model)}/versions/${version}/examples`, { ...asked, next }, signal),
    [JSON.stringify(asked)],
  );
  const texts = list.pages.flatMap((page) => page.examples.map(shownExample));
  // The API counts what matches whatever its text: with a part of the text, the pages so far say how many there are.
  const found = query.contains ? texts.length : (list.pages[0]?.matching ?? 0);
  const named = view === "all" ? words.matching(found) : words.mistakes(found);
  const heading = query.contains && list.next ? words.atLeast(named) : named;
  const choice = (/** @type {string} */ name) => html`
    <${Field} label=${/** @type {any} */ (words)[name]}>
      <select value=${query[name] ?? ""} onChange=${(/** @type {any} */ event) => setQuery({ [name]: event.target.value })}>
        <option value="">${words.any}</option>
        ${labels.map((/** @type {string} */ label) => html`<option key=${label} value=${label}>${label}</option>`)}
      </select>
    <//>
  `;
  return html`
    <form class="filters" onSubmit=${(/** @type {Event} */ event) => event.preventDefault()}>
      ${choice("label")} ${choice("predicted")}
      <${Contains} value=${query.contains ?? ""} />
      <${Field} label=${words.sort}>
        <select value=${sort} onChange=${(/** @type {any} */ event) => setQuery({ sort: event.target.value })}>
          ${Object.entries(words.sorts).map(([name, title]) => html`<option key=${name} value=${name}>${title}</option>`)}
        </select>
      <//>
    </form>
    <${List} edit=${edit} texts=${texts} list=${list} heading=${list.pages.length ? heading : ""} />
  `;
}

/** Asks when the typing pauses. @param {{value: string}} props */
function Contains({ value }) {
  const [typed, setTyped] = useState(value);
  useEffect(() => setTyped(value), [value]);
  useEffect(() => {
    if (typed === value) return;
    const timer = setTimeout(() => setQuery({ contains: typed.trim() ? typed : null }), 400);
    return () => clearTimeout(timer);
  }, [typed]);
  return html`<${Field} label=${words.contains}><input type="search" maxlength="200" value=${typed} onInput=${(/** @type {any} */ event) => setTyped(event.target.value)} /><//>`;
}

/** The examples whose labels look wrong. @param {{edit: any}} props */
function Suspects({ edit }) {
  const { api, model, version } = edit;
  const list = usePages((next, signal) => api.get(`models/${encodeURIComponent(model)}/versions/${version}/suspects`, { limit: PAGE, next }, signal), [model, version]);
  const texts = list.pages.flatMap((page) => page.suspects.flatMap(shownSuspect));
  const first = list.pages[0];
  return html`
    <p class="muted">${words.suspectsHow}</p>
    <${List} edit=${edit} texts=${texts} list=${list} heading=${first ? words.suspects(first.found, first.checked) : ""} />
  `;
}

/** @param {any} example @returns {Shown} */
function shownExample({ example, text, labels, predicted, split, fold, source, row }) {
  const from = source === "feedback" ? words.fromFeedback : words.fromRow(row);
  return { id: example, text: text ?? null, labels, predicted, note: `${from}, ${fold ? words.fold(fold) : split === "test" ? words.test : words.learnt}`, learnt: split === "train" };
}

/** @param {any} suspect @returns {Shown[]} */
function shownSuspect({ kind, label, proposed, count: some, of, examples, ...own }) {
  if (kind === "label") return examples.map((/** @type {any} */ each) => shownSuspect({ ...each, kind: "wrong", label, proposed })[0]).map((/** @type {Shown} */ each) => ({ ...each, note: words.wholeLabel(label, proposed, some, of) }));
  const named = (/** @type {string | null} */ name, /** @type {number | null} */ score) => (name === null ? [] : [{ label: name, score }]);
  const note = kind === "missing" ? words.missing : kind === "superfluous" ? words.superfluous : words.fromRow(own.row);
  return [{ id: own.example ?? null, text: own.text ?? null, labels: named(label, own.label_score), predicted: named(proposed, own.proposed_score), note, learnt: true }];
}

/**
 * The list: one text is open, arrow keys go on, letters decide.
 * @param {{edit: any, texts: Shown[], list: any, heading: string}} props
 */
function List({ edit, texts, list, heading }) {
  const [at, setAt] = useState(0);
  const [picking, setPicking] = useState(/** @type {Shown | null} */ (null));
  const [problem, setProblem] = useState(/** @type {any} */ (null));
  const rows = useRef(/** @type {HTMLElement | null} */ (null));
  const isToFocus = useRef(false);
  const { basket, mayCorrect, several } = edit;
  const here = Math.min(at, texts.length - 1);

  const open = (/** @type {number} */ place) => {
    if (place >= texts.length && list.next && !list.loading) list.more();
    const next = Math.max(0, Math.min(texts.length - 1, place));
    setAt(next);
    if (picking) isToFocus.current = true;
    else focusOn(next);
  };
  const focusOn = (/** @type {number} */ place) => /** @type {HTMLElement | undefined} */ (rows.current?.children[place])?.focus();
  // Keys work as soon as texts are seen, unless somebody types into a field already.
  useLayoutEffect(() => {
    if (texts.length && !document.activeElement?.matches("input, select, textarea")) /** @type {HTMLElement | undefined} */ (rows.current?.children[here])?.focus({ preventScroll: true });
  }, [texts.length > 0]);
  // As long as a dialog is open, no text can have the focus.
  useEffect(() => {
    if (!isToFocus.current || picking) return;
    isToFocus.current = false;
    focusOn(here);
  }, [picking]);
  /** @param {Shown} shown @param {Record<string, any>} deed @param {string} said */
  const correct = (shown, deed, said) => {
    if (!shown.id) return;
    basket.put({ id: shown.id, sent: { example: shown.id, ...deed }, shown: { text: shown.text, was: shown.labels.map(({ label }) => label), said } });
    open(here + 1);
  };
  const labelled = (/** @type {Shown} */ shown, /** @type {string[]} */ names) => correct(shown, several ? { labels: names } : { label: names[0] }, names.join(", ") || words.noLabels);
  const deeds = /** @type {Record<string, (shown: Shown) => void>} */ ({
    // Of texts with several labels, a suspect doesn't have them all: the dialog shows what would be sent.
    a: (shown) => (shown.predicted?.length && !(several && list.pages[0]?.suspects) ? labelled(shown, shown.predicted.map(({ label }) => label)) : undefined),
    l: (shown) => setPicking(shown),
    d: (shown) => correct(shown, { drop: true }, words.dropped),
    k: (shown) => correct(shown, { keep: true }, words.kept),
    u: (shown) => shown.id && basket.remove(shown.id),
  });
  // As the last correction went on to the next text, so does its undoing go back.
  const undoLast = () => {
    const last = basket.undo();
    const place = last ? texts.findIndex((shown) => shown.id === last.id) : -1;
    if (place >= 0) open(place);
  };
  const pressed = (/** @type {KeyboardEvent} */ event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const steps = /** @type {Record<string, number>} */ ({ ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: texts.length - 1 });
    const key = event.key.toLowerCase();
    if (event.key in steps) open(steps[event.key]);
    else if (mayCorrect && key === "u" && !(texts[here]?.id && basket.find(texts[here].id))) undoLast();
    else if (mayCorrect && key in deeds && texts[here]?.id) deeds[key](texts[here]);
    else return;
    event.preventDefault();
  };
  // The whole labels of a text with several, where the list has only one of them.
  const chosen = async (/** @type {Shown} */ shown) => {
    if (!several || !list.pages[0]?.suspects || !shown.text) return shown.labels.map(({ label }) => label);
    const path = `models/${encodeURIComponent(edit.model)}/versions/${edit.version}/examples`;
    const page = await edit.api.get(path, { contains: shown.text.slice(0, 200), limit: 1000 });
    const found = page.examples.find((/** @type {any} */ each) => each.example === shown.id);
    return (found?.labels ?? shown.labels).map((/** @type {any} */ each) => each.label);
  };

  return html`
    <h2 class="list-head" aria-live="polite">${heading}</h2>
    <${Problem} error=${list.problem ?? problem} onRetry=${list.problem ? list.reload : undefined} />
    ${mayCorrect && texts.length > 0 && html`<p class="keys small muted">${words.keys.map(([key, does]) => html`<span key=${key}><kbd>${key}</kbd> ${does}</span>`)}</p>`}
    <ol class="examples" ref=${rows} onKeyDown=${pressed}>
      ${texts.map(
        (shown, place) => html`
          <li
            key=${`${shown.id ?? ""} ${place}`}
            class=${place === here ? "example here" : "example"}
            tabindex=${place === here ? 0 : -1}
            aria-current=${place === here ? "true" : undefined}
            onFocus=${() => setAt(place)}
            onClick=${() => setAt(place)}
          >
            ${place === here && shown.text !== null
              ? html`<${Explanation} api=${edit.api} model=${edit.model} version=${edit.version} text=${shown.text} learnt=${shown.learnt} />`
              : html`<p class=${shown.text === null ? "example-text muted" : "example-text"} dir="auto">${shown.text ?? words.noText}</p>`}
            <${Said} shown=${shown} correction=${shown.id ? basket.find(shown.id) : undefined} sent=${shown.id ? edit.sent[shown.id] : undefined} />
            ${place === here &&
            mayCorrect &&
            shown.id &&
            html`<p class="actions">
              ${shown.predicted?.length && !(several && list.pages[0]?.suspects)
                ? html`<button type="button" onClick=${() => deeds.a(shown)}>${words.take} <bdi>${shown.predicted.map(({ label }) => label).join(", ")}</bdi></button>`
                : null}
              <button type="button" onClick=${() => deeds.l(shown)}>${words.other}</button>
              <button type="button" onClick=${() => deeds.d(shown)}>${words.drop}</button>
              <button type="button" onClick=${() => deeds.k(shown)}>${words.keep}</button>
              ${basket.find(shown.id) && !basket.isSealed(shown.id) && html`<button type="button" class="quiet" onClick=${() => deeds.u(shown)}>${words.undo}</button>`}
            </p>`}
          </li>
        `,
      )}
    </ol>
    ${list.loading && html`<${Loading} />`}
    ${!list.loading && list.pages.length > 0 && !texts.length && !list.next && html`<p>${words.none}</p>`}
    ${list.next && !list.loading && html`<p class="actions"><button type="button" onClick=${list.more}>${words.more}</button><span class="muted small">${words.shown(texts.length)}</span></p>`}
    ${picking &&
    html`<${Picking}
      edit=${edit}
      shown=${picking}
      load=${chosen}
      onFail=${(/** @type {any} */ error) => {
        setPicking(null);
        setProblem(error);
      }}
      onPick=${(/** @type {string[]} */ names) => {
        setPicking(null);
        labelled(picking, names);
      }}
      onClose=${() => setPicking(null)}
    />`}
  `;
}

/** @param {{edit: any, shown: Shown, load: (shown: Shown) => Promise<string[]>, onPick: (labels: string[]) => void, onClose: () => void, onFail: (error: any) => void}} props */
function Picking({ edit, shown, load, onPick, onClose, onFail }) {
  const [chosen, setChosen] = useState(/** @type {string[] | null} */ (null));
  useEffect(() => {
    load(shown).then(setChosen, onFail);
  }, []);
  if (!chosen) return null;
  return html`<${LabelPicker} labels=${edit.labels} chosen=${chosen} several=${edit.several} text=${shown.text ?? undefined} onPick=${onPick} onClose=${onClose} />`;
}

/** What is said of a text: its labels, the answer, and the correction. sent: an earlier one. @param {{shown: Shown, correction: any, sent: string | undefined}} props */
function Said({ shown: { labels, predicted, note }, correction, sent }) {
  const named = (/** @type {{label: string, score: number | null}[]} */ found, /** @type {string} */ kind) =>
    found.map(({ label, score }) => html`<span key=${label} class=${`chip ${kind}`} title=${label}><bdi>${label}</bdi>${score === null || score === undefined ? "" : html` <span class="small">${percent(score)}</span>`}</span>`);
  return html`
    <p class="said">
      <span class="small muted">${words.labelled}</span> ${labels.length ? named(labels, "given") : html`<span class="muted">${words.noLabels}</span>`}${" "}
      ${predicted && html`<span class="small muted">${words.says}</span> ${predicted.length ? named(predicted, "predicted") : html`<span class="muted">${words.noLabels}</span>`}`}${" "}
      ${correction && html`<span class="chip corrected" role="status">→ <bdi>${correction.shown.said}</bdi></span>`}${" "}
      ${!correction && sent !== undefined && html`<span class="chip corrected">→ <bdi>${sent}</bdi></span> <span class="small muted">${words.sentChip}</span>`}${" "}
      <span class="small muted note">${note}</span>
    </p>
  `;
}

/** The basket: what the next version learns. @param {{edit: any, onSent: (answer: any, items: import("../parts/basket.js").Item[]) => void}} props */
function Sending({ edit: { api, model, basket, labels, waiting, promote, sent, several }, onSent }) {
  const [busy, setBusy] = useState(false);
  const [open, setOpen] = useState(false);
  const [problem, setProblem] = useState(/** @type {any} */ (null));
  const send = async () => {
    setBusy(true);
    setProblem(null);
    const { items } = basket;
    try {
      const answer = await basket.send(api, model, "now");
      if (answer) onSent(answer, items);
    } catch (error) {
      setProblem(error);
    }
    setBusy(false);
  };
  // The item that the API refuses, so that it can be taken out.
  const refused = problem?.field ? basket.items[Number(/^examples\[(\d+)\]/.exec(problem.field)?.[1])] : undefined;
  const given = basket.items.map((/** @type {any} */ { sent: { label, labels: some } }) => some ?? (label ? [label] : []));
  // What was sent before counts too, where its words are the name of one label.
  const before = several ? [] : Object.values(sent).filter((said) => said !== words.dropped && said !== words.kept);
  const single = singleLabels([...given, ...before.map((said) => [said])], labels);
  if (!basket.size) return null;
  return html`
    <aside class="basket" aria-label=${words.basket}>
      <${Problem} error=${problem} />
      ${refused && html`<p>${refused.shown.text ?? refused.id} <button type="button" class="link" onClick=${() => basket.remove(refused.id)}>${words.leaveOut}</button></p>`}
      <div class="actions">
        <button type="button" class="quiet" aria-expanded=${open} onClick=${() => setOpen(!open)}>${words.corrections(basket.size)}</button>
        <button type="button" class="primary" disabled=${busy} onClick=${send}>${busy ? words.sending : words.retrain(basket.size, waiting)}</button>
      </div>
      <p class="small muted">${promote === "never" ? strings.outcome.staysBack : strings.outcome.goesLive}</p>
      ${single.length > 0 && html`<p class="notice small" role="status">${strings.outcome.single(single)}</p>`}
      ${open &&
      html`<ul>
        ${basket.items.map(
          (/** @type {import("../parts/basket.js").Item} */ { id, shown }) => html`
            <li key=${id}>
              <span class="cut" dir="auto" title=${shown.text ?? undefined}>${shown.text ?? id}</span>
              <span class="cut" title=${shown.said}><span class="muted"><bdi>${shown.was.join(", ")}</bdi> →</span> <bdi>${shown.said}</bdi></span>
              ${basket.isSealed(id)
                ? html`<span class="muted small">${words.onTheWay}</span>`
                : html`<button type="button" class="link" aria-label=${words.takeBack(shown.text ?? id)} onClick=${() => basket.remove(id)}>${words.undo}</button>`}
            </li>
          `,
        )}
      </ul>`}
    </aside>
  `;
}


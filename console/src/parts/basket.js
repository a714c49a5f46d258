// Corrections and answers on their way to the API. They are kept in the tab's session, so a reload loses none. What is sent is sealed
// first, with its Idempotency-Key: a request that may have arrived is sent again as it was, so none counts twice.
import { uuid } from "../api.js";
import { useEffect, useMemo, useState } from "../html.js";

/** @typedef {{id: string, sent: Record<string, any>, shown: any}} Item sent: an example of feedback. shown: what the page says of it */
/** @typedef {{key: string, retrain: string, items: Item[]}} Sealed */

// The most examples that the API takes in a request.
const MOST = 1000;

export class Basket {
  /** @param {string} name of the place in the session */
  constructor(name) {
    this.name = name;
    /** @type {{items: Item[], sealed: Sealed | null}} */
    this.state = JSON.parse(sessionStorage.getItem(name) ?? "null") ?? { items: [], sealed: null };
    this.onChange = () => {};
  }

  /** All that the API may not have yet, the oldest first. */
  get items() {
    return [...(this.state.sealed?.items ?? []), ...this.state.items];
  }

  get size() {
    return this.items.length;
  }

  /** Whether an item is on its way, so that it can't be taken out. @param {string} id */
  isSealed(id) {
    return !this.state.items.some((item) => item.id === id);
  }

  /** @param {string} id */
  find(id) {
    return this.items.findLast((item) => item.id === id);
  }

  /** Add an item, in place of an earlier one of this id. @param {Item} item */
  put(item) {
    this.save({ ...this.state, items: [...this.state.items.filter((each) => each.id !== item.id), item] });
  }

  /** Take an item out. What is being sent stays. @param {string} id */
  remove(id) {
    this.save({ ...this.state, items: this.state.items.filter((each) => each.id !== id) });
  }

  /** Take the last item out, unless it is sent. */
  undo() {
    const last = this.state.items.at(-1);
    if (last) this.remove(last.id);
    return last ?? null;
  }

  /**
   * Send all items but the newest `leave` ones. Returns what the API said last, null if there was nothing to send. Throws ApiError.
   * @param {import("../api.js").Api} api @param {string} model @param {string} retrain @param {number} [leave]
   */
  async send(api, model, retrain, leave = 0) {
    let answer = null;
    while (this.state.sealed || this.state.items.length > leave) {
      const sealed = this.state.sealed ?? this.seal(retrain, leave);
      const body = { examples: sealed.items.map((item) => item.sent), retrain: sealed.retrain };
      try {
        answer = (await api.call("POST", `models/${encodeURIComponent(model)}/examples`, { body, idempotencyKey: sealed.key })).body;
      } catch (error) {
        const { status } = /** @type {any} */ (error);
        // Refused for good: the items are free again, to be mended. Otherwise they may have arrived.
        if (status >= 400 && status < 500 && status !== 429) this.open();
        throw error;
      }
      this.save({ ...this.state, sealed: null });
    }
    return answer;
  }

  /** @param {string} retrain @param {number} leave */
  seal(retrain, leave) {
    const count = Math.min(MOST, this.state.items.length - leave);
    const isLast = count === this.state.items.length - leave;
    // Only the last request starts the training, which then has them all.
    const sealed = { key: uuid(), retrain: isLast ? retrain : "no", items: this.state.items.slice(0, count) };
    this.save({ items: this.state.items.slice(count), sealed });
    return sealed;
  }

  open() {
    const newer = new Set(this.state.items.map((item) => item.id));
    const before = (this.state.sealed?.items ?? []).filter((item) => !newer.has(item.id));
    this.save({ items: [...before, ...this.state.items], sealed: null });
  }

  /** @param {{items: Item[], sealed: Sealed | null}} state */
  save(state) {
    this.state = state;
    if (state.items.length || state.sealed) sessionStorage.setItem(this.name, JSON.stringify(state));
    else sessionStorage.removeItem(this.name);
    this.onChange();
  }
}

/** The basket of a model; the component is drawn again when it changes. @param {"corrections" | "answers"} kind @param {string} model */
export function useBasket(kind, model) {
  const basket = useMemo(() => new Basket(`winnow-${kind} ${document.baseURI.split("#")[0]} ${model}`), [kind, model]);
  const [, draw] = useState(0);
  useEffect(() => {
    basket.onChange = () => draw((count) => count + 1);
    return () => {
      basket.onChange = () => {};
    };
  }, [basket]);
  return basket;
}

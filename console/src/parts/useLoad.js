// Loading what a screen shows.
import { useCallback, useEffect, useState } from "../html.js";

/**
 * Calls `load` when the screen opens and when `deps` change: {value, problem, loading, reload}.
 * `reload()` calls it again and keeps the old value until then. After each value, `every(value)` says in how many seconds to call it
 * again by itself, null for never. A hidden tab does not ask. A value of other `deps` is never returned.
 * @template T @param {(signal: AbortSignal) => Promise<T>} load @param {any[]} deps
 * @param {{every?: (value: T) => number | null}} [options]
 * @returns {{value: T | null, problem: any, loading: boolean, reload: () => void}}
 */
export function useLoad(load, deps, { every = () => null } = {}) {
  const nothing = { of: deps, value: /** @type {T | null} */ (null), problem: /** @type {any} */ (null), loading: true };
  const [kept, setState] = useState(nothing);
  const state = same(kept.of, deps) ? kept : nothing;
  const [round, setRound] = useState(0);
  const reload = useCallback(() => setRound((round) => round + 1), []);
  useEffect(() => {
    const aborter = new AbortController();
    /** @type {any} */
    let timer;
    setState({ ...nothing, value: state.value });
    load(aborter.signal).then(
      (value) => {
        if (aborter.signal.aborted) return;
        setState({ of: deps, value, problem: null, loading: false });
        const seconds = every(value);
        if (seconds !== null) timer = again(reload, seconds);
      },
      (problem) => {
        if (!aborter.signal.aborted) setState({ of: deps, value: state.value, problem, loading: false });
      },
    );
    return () => {
      aborter.abort();
      clearTimeout(timer);
    };
  }, [...deps, round]);
  return { ...state, reload };
}

/** @param {() => void} deed @param {number} seconds @returns {any} */
function again(deed, seconds) {
  return setTimeout(() => {
    if (!document.hidden) return deed();
    document.addEventListener("visibilitychange", () => deed(), { once: true });
  }, seconds * 1000);
}

/** Whether two lists of dependencies are the same. @param {any[]} some @param {any[]} others */
export function same(some, others) {
  return some.every((dep, index) => dep === others[index]);
}

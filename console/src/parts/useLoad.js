// Loading what a screen shows.
import { useCallback, useEffect, useRef, useState } from "../html.js";

/**
 * Calls `load` when the screen opens and when `deps` change: {value, problem, loading, reload}.
 * `reload()` calls it again and keeps the old value until then. After each value, `every(value)` says in how many seconds to call it
 * again by itself, null for never. A hidden tab does not ask.
 * @template T @param {(signal: AbortSignal) => Promise<T>} load @param {any[]} deps
 * @param {{every?: (value: T) => number | null}} [options]
 * @returns {{value: T | null, problem: any, loading: boolean, reload: () => void}}
 */
export function useLoad(load, deps, { every = () => null } = {}) {
  const [state, setState] = useState(/** @type {{value: T | null, problem: any, loading: boolean}} */ ({ value: null, problem: null, loading: true }));
  const [round, setRound] = useState(0);
  const before = useRef(/** @type {any[] | null} */ (null));
  const reload = useCallback(() => setRound((round) => round + 1), []);
  useEffect(() => {
    const aborter = new AbortController();
    /** @type {any} */
    let timer;
    const isNew = before.current === null || deps.some((dep, index) => dep !== /** @type {any[]} */ (before.current)[index]);
    before.current = deps;
    setState((state) => ({ value: isNew ? null : state.value, problem: null, loading: true }));
    load(aborter.signal).then(
      (value) => {
        if (aborter.signal.aborted) return;
        setState({ value, problem: null, loading: false });
        const seconds = every(value);
        if (seconds !== null) timer = again(reload, seconds);
      },
      (problem) => {
        if (!aborter.signal.aborted) setState((state) => ({ value: state.value, problem, loading: false }));
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

// A list that comes in pages.
import { useEffect, useRef, useState } from "../html.js";

/**
 * The pages so far, and `more()` for the next one. `load(next, signal)` gets a page, which has `next`.
 * @template T @param {(next: string | undefined, signal: AbortSignal) => Promise<T & {next: string | null}>} load @param {any[]} deps
 */
export function usePages(load, deps) {
  const [state, setState] = useState(/** @type {{pages: (T & {next: string | null})[], problem: any, loading: boolean}} */ ({ pages: [], problem: null, loading: true }));
  const aborter = useRef(/** @type {AbortController | null} */ (null));
  const ask = async (/** @type {(T & {next: string | null})[]} */ before) => {
    aborter.current?.abort();
    const own = new AbortController();
    aborter.current = own;
    setState({ pages: before, problem: null, loading: true });
    try {
      const page = await load(before.at(-1)?.next ?? undefined, own.signal);
      if (!own.signal.aborted) setState({ pages: [...before, page], problem: null, loading: false });
    } catch (problem) {
      if (!own.signal.aborted) setState({ pages: before, problem, loading: false });
    }
  };
  useEffect(() => {
    ask([]);
    return () => aborter.current?.abort();
  }, deps);
  return {
    ...state,
    next: state.pages.at(-1)?.next ?? null,
    more: () => ask(state.pages),
    reload: () => ask([]),
  };
}

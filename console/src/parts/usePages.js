// A list that comes in pages.
import { useEffect, useRef, useState } from "../html.js";
import { same } from "./useLoad.js";

/**
 * The pages so far, none of other `deps`, and `more()` for the next one. `load(next, signal)` gets a page, which has `next`.
 * @template T @param {(next: string | undefined, signal: AbortSignal) => Promise<T & {next: string | null}>} load @param {any[]} deps
 */
export function usePages(load, deps) {
  const nothing = { of: deps, pages: /** @type {(T & {next: string | null})[]} */ ([]), problem: /** @type {any} */ (null), loading: true };
  const [kept, setState] = useState(nothing);
  const state = same(kept.of, deps) ? kept : nothing;
  const aborter = useRef(/** @type {AbortController | null} */ (null));
  const ask = async (/** @type {(T & {next: string | null})[]} */ before) => {
    aborter.current?.abort();
    const own = new AbortController();
    aborter.current = own;
    setState({ ...nothing, pages: before });
    try {
      const page = await load(before.at(-1)?.next ?? undefined, own.signal);
      if (!own.signal.aborted) setState({ of: deps, pages: [...before, page], problem: null, loading: false });
    } catch (problem) {
      if (!own.signal.aborted) setState({ of: deps, pages: before, problem, loading: false });
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

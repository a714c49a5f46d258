// Something that a button does.
import { useState } from "../html.js";

/**
 * Whether it is being done, why it failed last, and `run(deed)`, which does it and then calls `onChange`. `reload()` forgets the failure and
 * calls `onChange`.
 * @param {() => void} onChange
 * @returns {{busy: boolean, problem: any, run: (deed: () => Promise<any>) => Promise<void>, reload: () => void}}
 */
export function useDeed(onChange) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState(/** @type {any} */ (null));
  const run = async (/** @type {() => Promise<any>} */ deed) => {
    setBusy(true);
    setProblem(null);
    try {
      await deed();
      onChange();
    } catch (error) {
      setProblem(error);
    }
    setBusy(false);
  };
  const reload = () => {
    setProblem(null);
    onChange();
  };
  return { busy, problem, run, reload };
}

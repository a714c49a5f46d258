// Feedback that waits for a training.
import { uuid } from "../api.js";

/** Train with all feedback that waits. Throws ApiError. @param {import("../api.js").Api} api @param {string} model */
export async function trainPending(api, model) {
  const { body } = await api.call("POST", `models/${encodeURIComponent(model)}/examples`, { body: { retrain: "now" }, idempotencyKey: uuid() });
  return { version: body.version, retrain: "started" };
}

/**
 * The labels that the version does not know and that a single text has.
 * @param {Iterable<string[]>} texts the labels of each text @param {string[]} known empty if they aren't known
 */
export function singleLabels(texts, known) {
  if (!known.length) return [];
  const times = new Map();
  for (const labels of texts) for (const label of labels) if (!known.includes(label)) times.set(label, (times.get(label) ?? 0) + 1);
  return [...times].filter(([, count]) => count === 1).map(([label]) => label);
}

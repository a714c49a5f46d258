// What a matrix of confusions shows, from the evaluation of a version: cells, an order in which confused labels are neighbours, pairs.

/** @typedef {{truth: string, predicted: string, count: number, share: number}} Cell share: of the examples with the true label */
/** @typedef {{labels: string[], support: Record<string, number>, right: Record<string, number>, wrong: Cell[], missing: number}} Confusions
 *   wrong: the worst first. missing: how many mistakes the evaluation doesn't name, as it has at most 1,000 pairs of many labels. */

/** The confusions of an evaluation; null if examples may have several labels. @param {any} evaluation @returns {Confusions | null} */
export function confusionsOf(evaluation) {
  const { confusion, per_label: measures } = evaluation;
  if (!confusion) return null;
  const support = mapped(measures, (label) => label.support);
  /** @type {Cell[]} */
  const wrong = [];
  /** @param {string} truth @param {string} predicted @param {number} count */
  const add = (truth, predicted, count) => {
    if (count && truth !== predicted) wrong.push({ truth, predicted, count, share: count / Math.max(support[truth] ?? 0, count) });
  };
  if (confusion.top) {
    for (const each of confusion.top) add(each.truth, each.predicted, each.count);
  } else {
    const names = confusion.labels;
    confusion.matrix.forEach((/** @type {number[]} */ row, /** @type {number} */ from) =>
      row.forEach((count, to) => add(names[from], names[to], count)),
    );
  }
  wrong.sort((one, other) => other.count - one.count || other.share - one.share);
  // Of many labels there is no matrix, but recall says how many are right.
  const right = mapped(measures, (label) => Math.round(label.recall * label.support));
  const named = wrong.reduce((sum, cell) => sum + cell.count, 0);
  const mistakes = Math.round((1 - evaluation.accuracy) * evaluation.examples);
  return { labels: confusion.labels ?? Object.keys(measures), support, right, wrong, missing: Math.max(0, mistakes - named) };
}

/**
 * The labels, so that those that are confused with each other are neighbours: the most confused two labels are joined first, then
 * the chains that they are in, each turned so that its more confused end touches the other chain.
 * @param {Confusions} confusions @returns {string[]}
 */
export function inOrder({ labels, support, wrong }) {
  const weight = weights(wrong, support);
  const pairs = [...weight].map(([key, value]) => ({ ends: /** @type {[string, string]} */ (JSON.parse(key)), value }));
  pairs.sort((one, other) => other.value - one.value);
  /** @type {Map<string, string[]>} the chain of each label */
  const chains = new Map(labels.map((label) => [label, [label]]));
  const between = (/** @type {string} */ one, /** @type {string} */ other) => weight.get(pair(one, other)) ?? 0;
  for (const { ends } of pairs) {
    const [left, right] = ends.map((label) => /** @type {string[]} */ (chains.get(label)));
    if (!left || !right || left === right) continue;
    const joined = best(left, right, ends, between);
    for (const label of joined) chains.set(label, joined);
  }
  const found = [...new Set(chains.values())];
  // Chains of several labels first; labels that are never confused keep their order.
  return found.sort((one, other) => Number(other.length > 1) - Number(one.length > 1) || other.length - one.length).flat();
}

/** Both chains as one. @param {string[]} left @param {string[]} right @param {[string, string]} ends @param {(one: string, other: string) => number} between */
function best(left, right, ends, between) {
  const options = [left, [...left].reverse()].flatMap((one) => [right, [...right].reverse()].map((other) => [one, other]));
  const scored = options.map(([one, other]) => {
    const touch = between(one[one.length - 1], other[0]);
    const distance = one.length - 1 - one.indexOf(ends[0]) + other.indexOf(ends[1]);
    return { joined: [...one, ...other], touch, distance };
  });
  scored.sort((one, other) => one.distance - other.distance || other.touch - one.touch);
  return scored[0].joined;
}

/** How much two labels are confused, as a share of their examples. @param {Cell[]} wrong @param {Record<string, number>} support */
function weights(wrong, support) {
  /** @type {Map<string, number>} */
  const found = new Map();
  for (const { truth, predicted, count } of wrong) {
    const key = pair(truth, predicted);
    found.set(key, (found.get(key) ?? 0) + count / Math.max(1, (support[truth] ?? 0) + (support[predicted] ?? 0)));
  }
  return found;
}

/** @param {string} one @param {string} other */
const pair = (one, other) => JSON.stringify(one < other ? [one, other] : [other, one]);

/** The labels that have all words of a filter in their names, and those that they are confused with. @param {Confusions} confusions @param {string} filter */
export function matching({ labels, wrong }, filter) {
  const words = filter.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return new Set(labels);
  const named = new Set(labels.filter((label) => words.every((word) => label.toLocaleLowerCase().includes(word))));
  const near = wrong.filter((cell) => named.has(cell.truth) || named.has(cell.predicted)).flatMap((cell) => [cell.truth, cell.predicted]);
  return new Set([...named, ...near]);
}

/** @param {Record<string, any>} object @param {(value: any) => number} take @returns {Record<string, number>} */
function mapped(object, take) {
  // Without a prototype: a label may be called "constructor" or "__proto__".
  const found = Object.create(null);
  for (const [name, value] of Object.entries(object)) found[name] = take(value);
  return found;
}

// Numbers, times and shares as people read them.

const NUMBER = new Intl.NumberFormat("en");
const DAY = new Intl.DateTimeFormat("en", { dateStyle: "medium" });
const MOMENT = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short" });

/** @param {number} value */
export const number = (value) => NUMBER.format(value);

/** A share from 0 to 1 as a percentage. @param {number} share @param {number} [digits] */
export const percent = (share, digits = 1) => `${(share * 100).toFixed(digits)} %`;

/** A sentence of the API with its shares as percentages: "of 0.9829" is "of 98.3 %". @param {string} sentence */
export const inPercent = (sentence) => sentence.replace(/\b(0\.\d{2,}|1\.0+)(?!\.?\d)/g, (share) => percent(Number(share)));

/** A count with its noun: count(1, "text") is "1 text". @param {number} value @param {string} one @param {string} [many] */
export const count = (value, one, many = `${one}s`) => `${number(value)} ${value === 1 ? one : many}`;

/** @param {string} time ISO 8601 */
export const day = (time) => DAY.format(new Date(time));

/** @param {string} time ISO 8601 */
export const moment = (time) => MOMENT.format(new Date(time));

/** @param {number} bytes */
export const size = (bytes) =>
  bytes < 1000 ? `${bytes} B` : bytes < 1e6 ? `${(bytes / 1e3).toFixed(0)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;

/** How long something takes, roughly. @param {number} seconds */
export function duration(seconds) {
  if (seconds < 90) return count(Math.max(1, Math.round(seconds)), "second");
  if (seconds < 5400) return count(Math.round(seconds / 60), "minute");
  return `${(seconds / 3600).toFixed(1)} hours`;
}

/**
 * The 95 % interval of a share that was measured on n examples (Wilson's score interval), as the API's reports have it.
 * @param {number} share @param {number} n @returns {{low: number, high: number}}
 */
export function wilson(share, n) {
  const z = 1.959964;
  const middle = (share + (z * z) / (2 * n)) / (1 + (z * z) / n);
  const half = (z / (1 + (z * z) / n)) * Math.sqrt((share * (1 - share)) / n + (z * z) / (4 * n * n));
  return { low: Math.max(0, middle - half), high: Math.min(1, middle + half) };
}

// The first rows of a file, in the browser: what a person looks at beside the report, which quotes no text.
import { strings } from "./strings.js";

/** @typedef {{columns: string[], rows: string[][], hasHeader: boolean, delimiter: string | null} | {lines: string[]}} Preview */

const HEAD_BYTES = 300_000;
const ROWS = 10;
const LONGEST_CELL = 300;
// Of a text with a stray control character fewer bytes are one, of packed data more.
const MOST_CONTROLS = 0.05;
// The names of columns of texts that the API finds by itself (docs/datasets.md).
const TEXT_NAMES = ["sentence", "utterance", "message", "content", "body", "title", "query", "review", "subject"];

/**
 * The first ten rows. understood: what the report says about the file, as far as it is known.
 * @param {Blob} file @param {{encoding?: string, delimiter?: string, text_column?: string | string[]}} understood @returns {Promise<Preview>}
 */
export async function preview(file, understood = {}) {
  const text = decode(await head(file), understood.encoding);
  const start = text.trimStart()[0];
  if (start === "[" || start === "{") {
    const records = objects(text);
    if (records.length) return ofRecords(records);
  } else {
    const table = ofTable(text, understood);
    if (table) return table;
  }
  return { lines: text.split(/\r?\n/).slice(0, ROWS).map(shortened) };
}

/**
 * Why a file is not worth sending, or null.
 * @param {Blob} file @returns {Promise<{title: string, detail: string} | null>}
 */
export async function unusable(file) {
  const bytes = await head(file);
  // Broken gzip: the check says where it breaks.
  if (file.size && !bytes.length) return null;
  if (isBinary(bytes)) return strings.file.binary;
  const text = decode(bytes).trim();
  if (!text) return strings.file.empty;
  const body = text.replace(/^sep=.\r?\n?/, "");
  if (bytes.length < HEAD_BYTES && !/[\r\n]/.test(body) && !/^[[{"]/.test(body) && (!body || ofTable(body, {}))) return strings.file.noRows;
  return null;
}

/** @param {Uint8Array} bytes */
function isBinary(bytes) {
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) return false;
  // In UTF-16 each second byte may be 0.
  const zeros = [0, 0];
  let controls = 0;
  bytes.forEach((byte, place) => {
    if (byte === 0) zeros[place % 2]++;
    else if (byte < 9 || (byte > 13 && byte < 32)) controls++;
  });
  return controls + Math.min(...zeros) > MOST_CONTROLS * bytes.length;
}

/** Whether the API finds the text among these columns by itself. @param {string[]} columns */
export function findsText(columns) {
  const names = columns.map((name) => name.trim().toLowerCase());
  const has = (/** @type {string[]} */ ...wanted) => wanted.every((name) => names.includes(name));
  return has("text") || has("subject", "body") || names.filter((name) => TEXT_NAMES.includes(name) || (name === "v2" && has("v1"))).length === 1;
}

/** The first bytes, unpacked. @param {Blob} file */
async function head(file) {
  const first = new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());
  if (first[0] !== 0x1f || first[1] !== 0x8b) return first;
  const reader = new Blob([first]).stream().pipeThrough(new DecompressionStream("gzip")).getReader();
  const pieces = [];
  try {
    for (let size = 0; size < HEAD_BYTES; ) {
      const { done, value } = await reader.read();
      if (done) break;
      pieces.push(value);
      size += value.length;
    }
  } catch {
    // The slice ends within the packed file: what is unpacked until there is enough.
  }
  return new Uint8Array(await new Blob(pieces).arrayBuffer());
}

/** @param {Uint8Array} bytes @param {string} [encoding] */
function decode(bytes, encoding) {
  const mark = bytes[0] === 0xff && bytes[1] === 0xfe ? "utf-16le" : bytes[0] === 0xfe && bytes[1] === 0xff ? "utf-16be" : null;
  const name = mark ?? (encoding === "utf-16" ? "utf-16le" : encoding || "utf-8");
  if (name === "utf-8") {
    try {
      // The last character may be cut.
      return new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true });
    } catch {
      return new TextDecoder("windows-1252").decode(bytes);
    }
  }
  return new TextDecoder(name).decode(bytes);
}

/** The first objects of a JSON array or of JSON Lines that end within the text. @param {string} text @returns {Record<string, any>[]} */
function objects(text) {
  const found = [];
  let depth = 0;
  let start = -1;
  for (let at = text.indexOf("{"); at >= 0 && at < text.length && found.length < ROWS; at++) {
    const character = text[at];
    if (character === '"') {
      for (at++; at < text.length && text[at] !== '"'; at++) if (text[at] === "\\") at++;
    } else if (character === "{") {
      if (depth++ === 0) start = at;
    } else if (character === "}" && --depth === 0) {
      try {
        found.push(JSON.parse(text.slice(start, at + 1)));
      } catch {
        break;
      }
    }
  }
  return found;
}

/** @param {Record<string, any>[]} records @returns {Preview} */
function ofRecords(records) {
  const columns = [...new Set(records.flatMap((record) => Object.keys(record)))].slice(0, 30);
  const cell = (/** @type {any} */ value) => shortened(typeof value === "string" ? value : value === undefined ? "" : JSON.stringify(value));
  return { columns, rows: records.map((record) => columns.map((name) => cell(record[name]))), hasHeader: true, delimiter: null };
}

/** @param {string} text @param {{delimiter?: string, text_column?: string | string[]}} understood @returns {Preview | null} */
function ofTable(text, understood) {
  const declared = /^sep=(.)\r?\n/.exec(text);
  const body = declared ? text.slice(declared[0].length) : text;
  const delimiter = understood.delimiter ?? declared?.[1] ?? likeliest(body);
  if (!delimiter) return null;
  const records = parse(body, delimiter, ROWS + 1);
  const width = Math.max(...records.map((record) => record.length));
  if (width < 2) return null;
  const numbered = [understood.text_column ?? []].flat().some((name) => /^column \d+$/.test(name));
  const first = numbered ? [] : (records.shift() ?? []);
  const columns = Array.from({ length: Math.min(width, 30) }, (_, index) => first[index]?.trim() || `column ${index + 1}`);
  return { columns, rows: records.slice(0, ROWS).map((record) => columns.map((_, index) => shortened(record[index] ?? ""))), hasHeader: !numbered, delimiter };
}

/** The character that parts the first line most often. @param {string} text */
function likeliest(text) {
  const line = text.split(/\r?\n/, 1)[0];
  const [best] = [",", ";", "\t", "|"].map((mark) => ({ mark, times: line.split(mark).length - 1 })).sort((a, b) => b.times - a.times);
  return best.times ? best.mark : null;
}

/** The first records of a table (RFC 4180). @param {string} text @param {string} delimiter @param {number} most @returns {string[][]} */
function parse(text, delimiter, most) {
  /** @type {string[][]} */
  const records = [];
  /** @type {string[]} */
  let record = [];
  let cell = "";
  let quoted = false;
  for (let at = 0; at < text.length && records.length < most; at++) {
    const character = text[at];
    if (quoted) {
      if (character !== '"') cell += character;
      else if (text[at + 1] === '"') cell += text[++at];
      else quoted = false;
    } else if (character === '"' && cell.trim() === "" && delimiter !== "\t") {
      cell = "";
      quoted = true;
    } else if (character === delimiter) {
      record.push(cell);
      cell = "";
    } else if (character === "\n") {
      record.push(cell.replace(/\r$/, ""));
      if (record.some((value) => value.trim())) records.push(record);
      record = [];
      cell = "";
    } else {
      cell += character;
    }
  }
  if (records.length < most && (cell || record.length)) records.push([...record, cell]);
  return records;
}

/** @param {string} text */
function shortened(text) {
  return text.length > LONGEST_CELL ? `${text.slice(0, LONGEST_CELL)} …` : text;
}

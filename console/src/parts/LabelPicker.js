// A dialog to choose a label, or several, by typing a part of its name.
import { html, useMemo, useRef, useState } from "../html.js";
import { Dialog } from "./Dialog.js";
import { strings } from "../strings.js";

const words = strings.errors;
const MOST_SHOWN = 100;
const LONGEST = 200;

/**
 * labels: those that the model knows. chosen: those that the text has. several: whether a text may have several.
 * @param {{labels: string[], chosen: string[], several: boolean, text?: string, onPick: (labels: string[]) => void, onClose: () => void}} props
 */
export function LabelPicker({ labels, chosen, several, text, onPick, onClose }) {
  const [typed, setTyped] = useState("");
  const [at, setAt] = useState(0);
  const [picked, setPicked] = useState(() => new Set(several ? chosen : []));
  const list = useRef(/** @type {HTMLElement | null} */ (null));
  const name = typed.trim();
  const options = useMemo(() => {
    const parts = name.toLocaleLowerCase().split(/\s+/).filter(Boolean);
    const known = [...new Set([...labels, ...picked])].filter((label) => parts.every((part) => label.toLocaleLowerCase().includes(part)));
    const found = known.slice(0, MOST_SHOWN).map((label) => ({ label, isNew: false }));
    return name && !labels.includes(name) && !picked.has(name) ? [...found, { label: name, isNew: true }] : found;
  }, [labels, name, picked]);

  const take = (/** @type {string} */ label) => {
    if (!several) return onPick([label]);
    setPicked((before) => new Set(before.has(label) ? [...before].filter((each) => each !== label) : [...before, label]));
    setTyped("");
    setAt(0);
  };
  const move = (/** @type {number} */ step) => {
    const next = Math.max(0, Math.min(options.length - 1, at + step));
    setAt(next);
    list.current?.children[next]?.scrollIntoView({ block: "nearest" });
  };
  const pressed = (/** @type {KeyboardEvent} */ event) => {
    const steps = /** @type {Record<string, number>} */ ({ ArrowDown: 1, ArrowUp: -1 });
    if (event.key in steps) move(steps[event.key]);
    else if (event.key === "Enter" && several && (event.ctrlKey || event.metaKey)) onPick([...picked]);
    else if (event.key === "Enter" && options[at]) take(options[at].label);
    else return;
    event.preventDefault();
  };
  return html`
    <${Dialog} title=${several ? words.pickSeveral : words.pickOne} onClose=${onClose}>
      ${text && html`<blockquote dir="auto">${text}</blockquote>`}
      <input
        type="text"
        role="combobox"
        aria-expanded="true"
        aria-controls="picker-list"
        aria-autocomplete="list"
        aria-activedescendant=${options.length ? `picker-${at}` : undefined}
        aria-label=${words.pickFind}
        placeholder=${words.pickFind}
        maxlength=${LONGEST}
        autocomplete="off"
        value=${typed}
        onInput=${(/** @type {any} */ event) => {
          setTyped(event.target.value);
          setAt(0);
        }}
        onKeyDown=${pressed}
      />
      ${typed.length >= LONGEST && html`<p class="hint" role="status">${words.longest}</p>`}
      <ul class="picker" role="listbox" id="picker-list" aria-label=${words.labels} aria-multiselectable=${several} ref=${list}>
        ${options.map(
          ({ label, isNew }, place) => html`
            <li
              key=${label}
              id=${`picker-${place}`}
              role="option"
              class=${place === at ? "at" : ""}
              aria-selected=${several ? picked.has(label) : place === at}
              onClick=${() => take(label)}
            >
              ${several && html`<span aria-hidden="true">${picked.has(label) ? "☑" : "☐"}</span>`}
              <bdi title=${label}>${label}</bdi>
              ${isNew && html`<span class="muted small">${words.newLabel}</span>`}
              ${!several && chosen.includes(label) && html`<span class="muted small">${words.now}</span>`}
            </li>
          `,
        )}
      </ul>
      <p class="actions end">
        <button type="button" onClick=${onClose}>${strings.common.cancel}</button>
        ${several && html`<button type="button" class="primary" onClick=${() => onPick([...picked])}>${words.pickDone(picked.size)}</button>`}
      </p>
    <//>
  `;
}

// A place to drop a file, which is a file field for everybody else.
import { html, useState } from "../html.js";
import { strings } from "../strings.js";

const words = strings.new;

/** @param {{onFile: (file: File) => void, title?: string}} props */
export function Drop({ onFile, title = words.drop }) {
  const [over, setOver] = useState(false);
  const dropped = (/** @type {DragEvent} */ event) => {
    event.preventDefault();
    setOver(false);
    const file = event.dataTransfer?.files[0];
    if (file) onFile(file);
  };
  const dragged = (/** @type {DragEvent} */ event) => {
    event.preventDefault();
    setOver(true);
  };
  return html`
    <label class=${over ? "drop over" : "drop"} onDragOver=${dragged} onDragLeave=${() => setOver(false)} onDrop=${dropped}>
      <span class="drop-title">${title}</span>
      <span class="muted">${words.dropOr}</span>
      <input type="file" class="hidden" onChange=${(/** @type {any} */ event) => event.target.files[0] && onFile(event.target.files[0])} />
      <span class="button primary" aria-hidden="true">${words.choose}</span>
    </label>
  `;
}

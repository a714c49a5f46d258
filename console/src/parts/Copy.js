import { html, useState } from "../html.js";
import { strings } from "../strings.js";

/** A text to copy, with a button. @param {{text: string, label: string}} props */
export function Copy({ text, label }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    // Pages without TLS have no clipboard: the text can still be selected.
    await navigator.clipboard?.writeText(text).then(() => setCopied(true), () => {});
    setTimeout(() => setCopied(false), 2000);
  };
  return html`
    <div class="copy">
      <pre tabindex="0" aria-label=${label}>${text}</pre>
      <button type="button" onClick=${copy}>${copied ? strings.common.copied : strings.common.copy}</button>
    </div>
  `;
}

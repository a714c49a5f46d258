// A dialog over the page. The browser keeps the focus in it, and Escape closes it.
import { html, useLayoutEffect, useRef } from "../html.js";

let dialogs = 0;

/** onClose: by Escape; without it the dialog stays. @param {{title: string, onClose?: () => void, children?: any}} props */
export function Dialog({ title, onClose, children }) {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const id = useRef(`dialog-${++dialogs}`);
  // As soon as it is drawn: a key that comes right after it is for the dialog.
  useLayoutEffect(() => {
    const opener = /** @type {HTMLElement | null} */ (document.activeElement);
    const shown = dialog.current;
    shown?.showModal();
    return () => {
      // As long as it is open, nothing behind it takes the focus.
      shown?.close();
      opener?.focus?.();
    };
  }, []);
  const cancelled = (/** @type {Event} */ event) => {
    event.preventDefault();
    onClose?.();
  };
  return html`
    <dialog ref=${dialog} aria-labelledby=${id.current} onCancel=${cancelled}>
      <h2 id=${id.current}>${title}</h2>
      ${children}
    </dialog>
  `;
}

/**
 * A question before something that is hard to take back.
 * @param {{title: string, text: any, yes: string, no: string, danger?: boolean, busy?: boolean, onYes: () => void, onNo: () => void, children?: any}} props
 */
export function Confirm({ title, text, yes, no, danger = false, busy = false, onYes, onNo, children }) {
  return html`
    <${Dialog} title=${title} onClose=${onNo}>
      <p>${text}</p>
      ${children}
      <p class="actions end">
        <button type="button" onClick=${onNo}>${no}</button>
        <button type="button" class=${danger ? "danger" : "primary"} disabled=${busy} onClick=${onYes}>${yes}</button>
      </p>
    <//>
  `;
}

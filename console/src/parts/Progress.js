import { html } from "../html.js";

/** A bar. percent: 0 to 100, null for "under way". @param {{label: string, percent: number | null}} props */
export function Progress({ label, percent }) {
  const width = percent ?? 100;
  return html`
    <div
      class=${percent === null ? "progress endless" : "progress"}
      role="progressbar"
      aria-label=${label}
      aria-valuemin="0"
      aria-valuemax="100"
      aria-valuenow=${percent ?? undefined}
    >
      <svg viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true"><rect width=${width} height="4" /></svg>
    </div>
  `;
}

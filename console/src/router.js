// Screens are addresses after the #: state that is worth keeping is there, so that reload, back and links work.
import { useEffect, useState } from "preact/hooks";

/** @typedef {{path: string, parts: string[], query: Record<string, string>}} Place */

/** The place that the address names. @returns {Place} */
export function place() {
  const [path, query] = location.hash.replace(/^#/, "").split("?", 2);
  let parts;
  try {
    parts = path.split("/").filter(Boolean).map(decodeURIComponent);
  } catch {
    parts = ["?"];
  }
  return { path, parts, query: Object.fromEntries(new URLSearchParams(query ?? "")) };
}

/**
 * The address of a screen. Parts are names and numbers, unescaped: link(["models", id, "try"], {text: "…"}).
 * @param {(string | number)[]} parts @param {Record<string, string | number | null | undefined>} [query]
 */
export function link(parts, query = {}) {
  const kept = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== "");
  const asked = new URLSearchParams(kept.map(([name, value]) => [name, String(value)])).toString();
  return `#/${parts.map((part) => encodeURIComponent(part)).join("/")}${asked ? `?${asked}` : ""}`;
}

/** Go to a screen. replace: the present one is not kept for the back button. @param {string} address @param {{replace?: boolean}} [options] */
export function go(address, { replace = false } = {}) {
  if (replace) {
    history.replaceState(null, "", address);
    dispatchEvent(new HashChangeEvent("hashchange"));
  } else {
    location.hash = address;
  }
}

/** Change parameters of the present screen's query. @param {Record<string, string | number | null>} changes @param {{replace?: boolean}} [options] */
export function setQuery(changes, options = { replace: true }) {
  const here = place();
  go(link(here.parts, { ...here.query, ...changes }), options);
}

/** The present place; the component is drawn again when it changes. @returns {Place} */
export function usePlace() {
  const [at, setAt] = useState(place);
  useEffect(() => {
    const changed = () => setAt(place());
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  return at;
}

/**
 * The first route that matches, with the parameters of its pattern, such as "models/:model/versions/:version/quality".
 * @template T @param {Record<string, T>} routes @param {Place} at @returns {{target: T, params: Record<string, any>} | null}
 */
export function match(routes, at) {
  for (const [pattern, target] of Object.entries(routes)) {
    const names = pattern.split("/").filter(Boolean);
    if (names.length !== at.parts.length) continue;
    if (names.every((name, index) => name.startsWith(":") || name === at.parts[index])) {
      const found = names.flatMap((name, index) => (name.startsWith(":") ? [[name.slice(1), at.parts[index]]] : []));
      return { target, params: { ...Object.fromEntries(found), query: at.query } };
    }
  }
  return null;
}

// What every component needs: tagged templates in place of JSX, and hooks. docs/decisions/console.md says why.
export { html } from "htm/preact";
export { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";

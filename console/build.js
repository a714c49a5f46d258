// Bundles the console into FOLDER: node build.js FOLDER (default: dist)
import { copyFileSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { build } from "esbuild";

const folder = process.argv[2] ?? "dist";
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
await build({
  entryPoints: [
    { in: "src/main.js", out: "app" },
    { in: "src/style.css", out: "app" },
  ],
  outdir: folder,
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  footer: { js: `/*\nPreact:\n${readFileSync("node_modules/preact/LICENSE", "utf8")}\nhtm: the Apache License 2.0, which docs/LICENSE has.\n*/` },
  charset: "utf8",
  logLevel: "warning",
});
copyFileSync("src/index.html", `${folder}/index.html`);
// What "New model" offers to begin with.
copyFileSync("../local/sample/savings.json", `${folder}/sample.json`);

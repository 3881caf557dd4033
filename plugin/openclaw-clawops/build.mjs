// Writes the plugin as JavaScript: `node build.mjs FOLDER`. OpenClaw would load the sources too, but then it loads the
// whole TypeScript compiler at each start: a second, and fifty megabytes. Types are only taken away here, never checked.

import { copyFileSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { join } from "node:path";

const into = process.argv[2];
if (!into) {
  console.error("usage: node build.mjs FOLDER");
  process.exit(2);
}
const here = import.meta.dirname;
rmSync(into, { recursive: true, force: true });
mkdirSync(join(into, "src"), { recursive: true, mode: 0o700 });
for (const name of readdirSync(join(here, "src"))) {
  const script = stripTypeScriptTypes(readFileSync(join(here, "src", name), "utf8"));
  const linked = script.replace(/(\bfrom\s*"\.{1,2}\/[^"]*)\.ts"/g, '$1.js"');
  writeFileSync(join(into, "src", name.replace(/\.ts$/, ".js")), linked);
}
for (const name of ["openclaw.plugin.json", "tools.json"]) copyFileSync(join(here, name), join(into, name));
const { name, version, license, type, openclaw } = JSON.parse(readFileSync(join(here, "package.json"), "utf8"));
openclaw.extensions = openclaw.extensions.map((path) => path.replace(/\.ts$/, ".js"));
// Last and in one step: where it stands, all the rest stands too.
const fresh = join(into, "package.json.new");
writeFileSync(fresh, JSON.stringify({ name, version, private: true, license, type, openclaw }, null, 2));
renameSync(fresh, join(into, "package.json"));

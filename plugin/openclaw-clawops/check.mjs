// Checks the types against the real `openclaw` package of the installed runtime: `npm ci && npm run check`.

import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, rmSync, statSync, symlinkSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

function runtime() {
  if (process.env.CLAWOPS_RUNTIME) return process.env.CLAWOPS_RUNTIME;
  const all = join(homedir(), ".cache/clawops/runtime");
  const found = existsSync(all) ? readdirSync(all).map((name) => join(all, name)) : [];
  return found.sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)[0] ?? all;
}

const here = import.meta.dirname;
const openclaw = join(runtime(), "openclaw/node_modules/openclaw");
const compiler = join(here, "node_modules/typescript/bin/tsc");
for (const needed of [openclaw, compiler]) {
  if (!existsSync(needed)) {
    console.error(`${needed} is missing; run \`npm ci\` here, and \`cargo xtask up\` for OpenClaw`);
    process.exit(1);
  }
}
// TypeScript finds the package where Node would.
const link = join(here, "node_modules/openclaw");
rmSync(link, { force: true });
symlinkSync(openclaw, link);
process.exit(spawnSync(process.execPath, [compiler, "--noEmit", "-p", here], { stdio: "inherit" }).status ?? 1);

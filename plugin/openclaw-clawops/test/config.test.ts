import assert from "node:assert/strict";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { readKey, settingsOf } from "../src/config.ts";

const good = { controlPlaneUrl: "http://127.0.0.1:7410/", pluginKeyFile: "/k/plugin.key", webhookKeyFile: "/k/webhook.key" };

test("settings are read, with defaults", () => {
  assert.deepEqual(settingsOf(good), { ...good, controlPlaneUrl: "http://127.0.0.1:7410", pollMs: 10_000 });
  assert.equal(settingsOf({ ...good, pollSeconds: 0.5 }).pollMs, 500);
});

test("what is missing, or would send the signed calls off this machine, is refused by name", () => {
  assert.throws(() => settingsOf({ ...good, pluginKeyFile: undefined }), /config\.pluginKeyFile is missing/);
  assert.throws(() => settingsOf(undefined), /config\.controlPlaneUrl is missing/);
  assert.throws(() => settingsOf({ ...good, controlPlaneUrl: "http://example.com" }), /must be http on this machine/);
});

test("a key is one line, and an empty file is no key", () => {
  const dir = mkdtempSync(join(tmpdir(), "clawops-"));
  const file = join(dir, "plugin.key");
  writeFileSync(file, "0123456789abcdef0123\n");
  assert.equal(readKey(file).toString(), "0123456789abcdef0123");
  writeFileSync(file, "\n");
  assert.throws(() => readKey(file), /holds no key/);
});

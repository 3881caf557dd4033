// The plugin's configuration: addresses and names of files. Secrets are in the files, never in the configuration,
// because OpenClaw shows its configuration to every operator client.

import { readFileSync } from "node:fs";

export interface Settings {
  controlPlaneUrl: string;
  pluginKeyFile: string;
  webhookKeyFile: string;
  pollMs: number;
}

const DEFAULT_POLL_SECONDS = 10;

export function settingsOf(raw: Record<string, unknown> | undefined): Settings {
  const text = (key: string): string => {
    const value = raw?.[key];
    if (typeof value === "string" && value !== "") return value;
    throw new Error(`plugins.entries.clawops.config.${key} is missing; it must be a text`);
  };
  const url = text("controlPlaneUrl");
  const { protocol, hostname } = new URL(url);
  if (protocol !== "http:" || !["127.0.0.1", "localhost", "[::1]"].includes(hostname)) {
    throw new Error(`plugins.entries.clawops.config.controlPlaneUrl is ${url}; it must be http on this machine`);
  }
  const poll = raw?.pollSeconds;
  return {
    controlPlaneUrl: url.replace(/\/+$/, ""),
    pluginKeyFile: text("pluginKeyFile"),
    webhookKeyFile: text("webhookKeyFile"),
    pollMs: (typeof poll === "number" ? poll : DEFAULT_POLL_SECONDS) * 1000,
  };
}

/** A key file holds one line; read anew each time, so that a rotated key is used at once. */
export function readKey(file: string): Buffer {
  const key = readFileSync(file, "utf8").trim();
  if (key.length < 16) throw new Error(`${file} holds no key; it must hold at least 16 characters`);
  return Buffer.from(key, "utf8");
}

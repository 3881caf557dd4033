// State of the whole process. OpenClaw calls register() several times, each time with a module copy of its own, so
// module variables would be empty where the tools run.

import type { PluginJsonValue } from "openclaw/plugin-sdk/plugin-entry";
import type { ControlPlaneWatch } from "./watch.ts";
import type { Outbox } from "./outbox.ts";

export interface PendingQuestion {
  approval: string;
  question: string;
  conversation: string;
  since: number;
}

export interface Shared {
  /** Which run a tool call belongs to, by session and call. */
  runs: Map<string, string>;
  /** Webhook ids that were accepted, with the moment they may be forgotten. */
  webhooks: Map<string, number>;
  /** Questions that were put into a message whose leaving is not confirmed yet. */
  pending: Map<string, PendingQuestion>;
  outbox: Outbox | undefined;
  watch: ControlPlaneWatch | undefined;
  /** Tells every operator client of the gateway, while the gateway's services run. */
  announce: ((event: string, payload: PluginJsonValue) => void) | undefined;
}

const KEY = Symbol.for("clawops.shared");

export function shared(): Shared {
  const scope = globalThis as { [KEY]?: Shared };
  scope[KEY] ??= { runs: new Map(), webhooks: new Map(), pending: new Map(), outbox: undefined, watch: undefined, announce: undefined };
  return scope[KEY];
}

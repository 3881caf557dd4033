// Wires the parts into OpenClaw. register() runs once per registry of the process; only the gateway's own registry
// runs services, routes and RPC methods, while tools also run in others, so all state is shared().

import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { definePluginEntry, type OpenClawPluginApi, type PluginJsonValue } from "openclaw/plugin-sdk/plugin-entry";
import { confirmShown, conversationKey, recordInbound, withQuestions } from "./approvals.ts";
import { readKey, type Settings, settingsOf } from "./config.ts";
import { ControlPlane, reason } from "./control-plane.ts";
import { Outbox } from "./outbox.ts";
import { shared } from "./shared.ts";
import { noteRun, type ToolEntry, toolFor } from "./tools.ts";
import { type Alert, ControlPlaneWatch } from "./watch.ts";
import { webhookSecret } from "./webhook.ts";
import { handleWebhook } from "./webhook-route.ts";

const TABLE = new URL("../tools.json", import.meta.url);

export default definePluginEntry({
  id: "clawops",
  name: "ClawOps",
  description: "Tools, approvals and health of a ClawOps fleet.",
  register(api) {
    const settings = settingsOf(api.pluginConfig);
    const plane = new ControlPlane(settings.controlPlaneUrl, () => readKey(settings.pluginKeyFile));
    registerTools(api, plane);
    registerApprovals(api, plane);
    registerWebhook(api, settings);
    registerWatch(api, settings, plane);
  },
});

function registerTools(api: OpenClawPluginApi, plane: ControlPlane): void {
  const { runs } = shared();
  const { tools } = JSON.parse(readFileSync(TABLE, "utf8")) as { tools: ToolEntry[] };
  for (const entry of tools) {
    api.registerTool((ctx) => toolFor(entry, ctx, plane, runs), { name: entry.name });
  }
  api.on("before_tool_call", (_event, ctx) => noteRun(runs, ctx));
}

function registerApprovals(api: OpenClawPluginApi, plane: ControlPlane): void {
  const state = shared();
  const outbox = (state.outbox ??= new Outbox(plane, api.logger, (ms) => pause(ms)));
  api.on("message_received", (event, ctx) => {
    void recordInbound(event, ctx, outbox);
  });
  api.on("message_sending", async (event, ctx) => {
    const conversation = conversationKey(ctx, event.to);
    if (conversation === undefined) return undefined;
    try {
      const content = await withQuestions(event.content, conversation, plane, state.pending);
      return content === undefined ? undefined : { content };
    } catch (error) {
      // The agent's words still leave; an unasked question cannot be answered, which is the safe side.
      api.logger.warn(`clawops: could not ask for open questions of ${conversation}: ${reason(error)}`);
      return undefined;
    }
  });
  api.on("message_sent", (event, ctx) => {
    const conversation = conversationKey(ctx, event.to);
    if (conversation !== undefined) confirmShown(event, conversation, state.pending, outbox);
  });
}

function registerWebhook(api: OpenClawPluginApi, settings: Settings): void {
  const state = shared();
  const secret = (): Buffer => webhookSecret(readKey(settings.webhookKeyFile));
  const accept = (event: unknown): void => {
    state.announce?.("webhook", event as PluginJsonValue);
    // Somebody says that something happened, so what is cached is old.
    void state.watch?.look();
  };
  api.registerHttpRoute({
    path: "/clawops/webhook",
    auth: "plugin",
    match: "exact",
    handler: (req, res) => handleWebhook(req, res, { secret, seen: state.webhooks, accept, now: Date.now }),
  });
}

function registerWatch(api: OpenClawPluginApi, settings: Settings, plane: ControlPlane): void {
  const state = shared();
  api.registerGatewayMethod(
    "clawops.fleet-status",
    async ({ respond }) => {
      state.watch ??= new ControlPlaneWatch(plane, async () => {});
      respond(true, await state.watch.current());
    },
    { scope: "operator.read" },
  );
  let stop: AbortController | undefined;
  api.registerService({
    id: "clawops-health-monitor",
    reload: { configPrefixes: ["plugins.entries.clawops.config"] },
    start(ctx) {
      const deliver = async (alert: Alert): Promise<void> => {
        ctx.logger.warn(`clawops: ${alert.kind}: ${alert.text}`);
        if (state.announce === undefined) throw new Error("the gateway cannot announce anything yet");
        state.announce("alert", { ...alert });
      };
      const { gatewayEvents } = ctx;
      state.announce = gatewayEvents && ((event, payload) => gatewayEvents.emit(event, payload, { scope: "operator.read" }));
      const watch = new ControlPlaneWatch(plane, deliver);
      state.watch = watch;
      stop = new AbortController();
      void lookUntil(watch, settings.pollMs, stop.signal);
    },
    stop() {
      state.announce = undefined;
      stop?.abort();
    },
  });
}

async function lookUntil(watch: ControlPlaneWatch, everyMs: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    // What fails here is told again with the next look.
    await watch.look().catch(() => {});
    await pause(everyMs, undefined, { signal }).catch(() => {});
  }
}

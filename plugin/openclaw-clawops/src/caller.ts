// Who is calling, signed. Everything in it comes from the host; nothing a model wrote may ever get in here.

import { createHash, createHmac, randomUUID } from "node:crypto";

export interface Caller {
  agent: string;
  sessionKey?: string;
  runId?: string;
  callId?: string;
}

/** What the plugin is called when it speaks for itself. No agent can have this id: agent ids hold no colon. */
export const PLUGIN_ITSELF: Caller = { agent: "plugin:clawops" };

export interface SignedRequest {
  method: string;
  /** With the query, as it is sent. */
  path: string;
  body: string;
}

export function callerHeader(caller: Caller, at: Date = new Date(), nonce: string = randomUUID()): string {
  const { agent, sessionKey, runId, callId } = caller;
  const claims = { agent, sessionKey, runId, callId, at: at.toISOString(), nonce };
  return Buffer.from(JSON.stringify(claims), "utf8").toString("base64url");
}

export function signature(key: Buffer, request: SignedRequest, header: string): string {
  const digest = createHash("sha256").update(request.body, "utf8").digest("hex");
  const signed = [request.method, request.path, header, digest].join("\n");
  return `v1,${createHmac("sha256", key).update(signed, "utf8").digest("base64")}`;
}

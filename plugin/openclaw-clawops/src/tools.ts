// The fleet's tools, generated from tools.json. A tool carries arguments to the control plane and its answer back;
// who called is taken from the host's context and never from the arguments.

import type { Caller } from "./caller.ts";
import type { ControlPlane } from "./control-plane.ts";
import type { Shared } from "./shared.ts";

export interface ToolEntry {
  name: string;
  description: string;
  parameters: Record<string, unknown>;
  agents: string[];
}

/** What the host says about the turn that a tool is made for. */
export interface TurnContext {
  agentId?: string;
  sessionKey?: string;
  assertInvocationCurrent?: () => void;
}

export interface ToolResult {
  content: { type: "text"; text: string }[];
  details: unknown;
}

export interface Tool {
  name: string;
  label: string;
  description: string;
  parameters: Record<string, unknown>;
  execute(callId: string, args: unknown, signal?: AbortSignal): Promise<ToolResult>;
}

/** Enough for every call of a busy hour; older ones have ended long ago. */
const RUNS_KEPT = 2048;

const runKey = (sessionKey: string | undefined, callId: string): string => `${sessionKey ?? ""}\n${callId}`;

/** The host names the run only in its `before_tool_call` hook, so it is noted there. */
export function noteRun(runs: Shared["runs"], at: { sessionKey?: string; runId?: string; toolCallId?: string }): void {
  if (at.runId === undefined || at.toolCallId === undefined) return;
  runs.set(runKey(at.sessionKey, at.toolCallId), at.runId);
  for (const oldest of runs.keys()) {
    if (runs.size <= RUNS_KEPT) break;
    runs.delete(oldest);
  }
}

/** The tool for this turn, or nothing where the agent has no such tool. */
export function toolFor(entry: ToolEntry, turn: TurnContext, plane: ControlPlane, runs: Shared["runs"]): Tool | null {
  const agent = turn.agentId;
  if (agent === undefined || !entry.agents.includes(agent)) return null;
  return {
    name: entry.name,
    label: entry.name.replace(/^gf_/, "").replaceAll("_", " "),
    description: entry.description,
    parameters: entry.parameters,
    async execute(callId, args, signal) {
      turn.assertInvocationCurrent?.();
      const caller: Caller = { agent, callId };
      if (turn.sessionKey !== undefined) caller.sessionKey = turn.sessionKey;
      const run = runs.get(runKey(turn.sessionKey, callId));
      if (run !== undefined) caller.runId = run;
      const reply = await plane.post(`/v1/tools/${entry.name}`, args ?? {}, { caller, signal });
      return { content: [{ type: "text", text: JSON.stringify(reply) }], details: reply };
    },
  };
}

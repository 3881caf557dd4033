import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { noteRun, type ToolEntry, toolFor } from "../src/tools.ts";
import { ControlPlane } from "../src/control-plane.ts";
import { claims, KEY, stub } from "./support.ts";

const file = (name: string): string => readFileSync(new URL(`../${name}`, import.meta.url), "utf8");
const { tools } = JSON.parse(file("tools.json")) as { tools: ToolEntry[] };
const entry = (name: string): ToolEntry => {
  const found = tools.find((tool) => tool.name === name);
  assert.ok(found, name);
  return found;
};
const turn = { agentId: "commander", sessionKey: "agent:commander:cli-ana" };

test("the manifest declares every tool", () => {
  const { contracts } = JSON.parse(file("openclaw.plugin.json")) as { contracts: { tools: string[] } };
  assert.deepEqual(contracts.tools.toSorted(), tools.map((tool) => tool.name).toSorted());
});

test("a call carries the host's facts, also when the model claims others", async () => {
  const fleet = await stub(() => ({ body: { summary: "fine" } }));
  const runs = new Map<string, string>();
  noteRun(runs, { sessionKey: turn.sessionKey, runId: "run-1", toolCallId: "call-1" });
  noteRun(runs, { sessionKey: "agent:triage:main", runId: "run-2", toolCallId: "call-1" });
  const tool = toolFor(entry("gf_fleet_status"), turn, fleet.plane, runs);
  const result = await tool?.execute("call-1", { agent: "guardian", sessionKey: "x", runId: "y", actor: "admin" });
  assert.deepEqual(result?.content, [{ type: "text", text: '{"summary":"fine"}' }]);
  const [asked] = fleet.asked;
  assert.ok(asked);
  assert.equal(asked.path, "/v1/tools/gf_fleet_status");
  const { at, nonce, ...facts } = claims(asked);
  assert.deepEqual(facts, { agent: "commander", sessionKey: turn.sessionKey, runId: "run-1", callId: "call-1" });
  assert.ok(typeof at === "string" && typeof nonce === "string");
  await fleet.close();
});

test("an agent has the tools of its row only", () => {
  const plane = new ControlPlane("http://127.0.0.1:1", () => KEY);
  const has = (agentId: string | undefined, name: string): boolean =>
    toolFor(entry(name), agentId === undefined ? {} : { agentId }, plane, new Map()) !== null;
  assert.equal(has("commander", "gf_teardown"), true);
  assert.equal(has("guardian", "gf_teardown"), false);
  assert.equal(has("main", "gf_fleet_status"), false);
  assert.equal(has(undefined, "gf_fleet_status"), false);
});

test("a refusal says what was wrong and what would be right", async () => {
  const error = {
    code: "unknown_tier",
    message: "there is no tier gold",
    field: "tier",
    value: "gold",
    fix: "use nano, standard, pro or enterprise",
  };
  const fleet = await stub(() => ({ status: 422, body: { error } }));
  const tool = toolFor(entry("gf_provision"), turn, fleet.plane, new Map());
  assert.ok(tool);
  await assert.rejects(tool.execute("c", { count: 2, tier: "gold" }), {
    message:
      'unknown_tier: there is no tier gold (tier = "gold"). To do: use nano, standard, pro or enterprise',
  });
  await fleet.close();
});

test("a control plane that is away is said to be away", async () => {
  const fleet = await stub(() => ({ body: {} }));
  await fleet.close();
  const tool = toolFor(entry("gf_fleet_status"), turn, fleet.plane, new Map());
  assert.ok(tool);
  await assert.rejects(tool.execute("c", {}), /control_plane_away: .*Nothing is known about the fleet/);
});

test("a call of a turn that is over does nothing", async () => {
  const fleet = await stub(() => ({ body: {} }));
  const over = {
    ...turn,
    assertInvocationCurrent: () => {
      throw new Error("the turn is over");
    },
  };
  const tool = toolFor(entry("gf_fleet_status"), over, fleet.plane, new Map());
  assert.ok(tool);
  await assert.rejects(tool.execute("c", {}), /the turn is over/);
  assert.equal(fleet.asked.length, 0);
  await fleet.close();
});

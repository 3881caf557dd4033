import assert from "node:assert/strict";
import { test } from "node:test";
import { type Alert, ControlPlaneWatch } from "../src/watch.ts";
import { stub } from "./support.ts";

test("the status is cached, says its age, and is fetched anew after half a minute", async () => {
  let version = 0;
  const fleet = await stub(() => ({ body: { version: ++version } }));
  let now = 1_000_000;
  const watch = new ControlPlaneWatch(fleet.plane, async () => {}, () => now);
  assert.deepEqual((await watch.current()).status, { version: 1 });
  now += 12_000;
  const cached = await watch.current();
  assert.deepEqual([cached.status, cached.ageMs, cached.controlPlane], [{ version: 1 }, 12_000, "up"]);
  now += 20_000;
  const fresh = await watch.current();
  assert.deepEqual([fresh.status, fresh.ageMs], [{ version: 2 }, 0]);
  await fleet.close();
});

test("a control plane that is away is told once, also when telling fails at first, and so is its return", async () => {
  let up = true;
  const fleet = await stub(() => (up ? { body: {} } : { status: 503, body: {} }));
  const told: Alert["kind"][] = [];
  let deaf = true;
  const watch = new ControlPlaneWatch(fleet.plane, async ({ kind }) => {
    if (deaf) {
      deaf = false;
      throw new Error("nobody listens");
    }
    told.push(kind);
  });
  await watch.look();
  up = false;
  await watch.look();
  await watch.look();
  assert.deepEqual(told, [], "a restart is not an outage");
  await assert.rejects(watch.look());
  await watch.look();
  await watch.look();
  assert.deepEqual(told, ["CONTROL_PLANE_AWAY"]);
  assert.equal((await watch.current()).controlPlane, "away");
  up = true;
  await watch.look();
  await watch.look();
  assert.deepEqual(told, ["CONTROL_PLANE_AWAY", "CONTROL_PLANE_BACK"]);
  await fleet.close();
});

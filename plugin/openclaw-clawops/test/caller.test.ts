import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { test } from "node:test";
import { callerHeader, signature } from "../src/caller.ts";
import { KEY } from "./support.ts";

test("the header holds the host's facts and nothing else", () => {
  const caller = { agent: "commander", sessionKey: "s", runId: "r", callId: "c", actor: "admin" };
  const header = callerHeader(caller, new Date("2026-11-21T08:00:00Z"), "n-1");
  assert.match(header, /^[A-Za-z0-9_-]+$/);
  assert.deepEqual(JSON.parse(Buffer.from(header, "base64url").toString()), {
    agent: "commander",
    sessionKey: "s",
    runId: "r",
    callId: "c",
    at: "2026-11-21T08:00:00.000Z",
    nonce: "n-1",
  });
});

test("each call has a nonce of its own", () => {
  const at = new Date(0);
  assert.notEqual(callerHeader({ agent: "a" }, at), callerHeader({ agent: "a" }, at));
});

test("the signature covers method, path, caller and body", () => {
  const request = { method: "POST", path: "/v1/tools/gf_provision", body: '{"count":2}' };
  const wanted = createHmac("sha256", KEY)
    .update(`POST\n/v1/tools/gf_provision\nH\n${createHash("sha256").update('{"count":2}').digest("hex")}`)
    .digest("base64");
  const signed = signature(KEY, request, "H");
  assert.equal(signed, `v1,${wanted}`);
  for (const other of [
    signature(KEY, { ...request, method: "GET" }, "H"),
    signature(KEY, { ...request, path: "/v1/tools/gf_teardown" }, "H"),
    signature(KEY, { ...request, body: '{"count":3}' }, "H"),
    signature(KEY, request, "I"),
    signature(Buffer.from("another key, as long as it"), request, "H"),
  ]) {
    assert.notEqual(other, signed);
  }
});

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { verifyWebhook, webhookSecret, type WebhookRequest } from "../src/webhook.ts";
import { handleWebhook } from "../src/webhook-route.ts";
import { KEY } from "./support.ts";

const NOW = 1_795_248_000;

function signed(id: string, timestamp: number, body = '{"type":"provision.requested"}'): WebhookRequest {
  const digest = createHmac("sha256", KEY).update(`${id}.${timestamp}.${body}`).digest("base64");
  return { id, timestamp: String(timestamp), signature: `v1,${digest}`, body: Buffer.from(body) };
}

test("a genuine one passes, also among other signatures", () => {
  const seen = new Map<string, number>();
  assert.deepEqual(verifyWebhook(signed("m-1", NOW), KEY, NOW, seen), { ok: true });
  const request = signed("m-2", NOW - 299);
  request.signature = `v1,AAAA v1a,zzz ${request.signature}`;
  assert.deepEqual(verifyWebhook(request, KEY, NOW, seen), { ok: true });
});

test("the specification's own example passes", () => {
  const secret = webhookSecret(Buffer.from("whsec_plJ3nmyCDGBKInavdOK15jsl"));
  const request = {
    id: "msg_loFOjxBNrRLzqYUf",
    timestamp: "1731705121",
    signature: "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=",
    body: Buffer.from('{"event_type":"ping","data":{"success":true}}'),
  };
  assert.deepEqual(verifyWebhook(request, secret, 1_731_705_121, new Map()), { ok: true });
});

test("forged, stale, early, replayed and incomplete ones are refused, each with its own reason", () => {
  const seen = new Map<string, number>();
  const code = (request: WebhookRequest, now = NOW): string => {
    const verdict = verifyWebhook(request, KEY, now, seen);
    return verdict.ok ? "ok" : `${verdict.status} ${verdict.code}`;
  };
  assert.equal(code({ ...signed("m-1", NOW), body: Buffer.from("{}") }), "401 bad_signature");
  assert.equal(code({ ...signed("m-1", NOW), id: "m-2" }), "401 bad_signature");
  assert.equal(code({ ...signed("m-1", NOW), timestamp: String(NOW + 1) }), "401 bad_signature");
  assert.equal(code({ ...signed("m-1", NOW), signature: "v1," }), "401 bad_signature");
  assert.equal(code(signed("m-1", NOW - 301)), "401 stale");
  assert.equal(code(signed("m-1", NOW + 301)), "401 stale");
  assert.equal(code({ ...signed("m-1", NOW), timestamp: "soon" }), "400 bad_timestamp");
  assert.equal(code({ ...signed("m-1", NOW), signature: undefined }), "400 missing_header");
  assert.equal(code(signed("m-1", NOW)), "ok", "the refusals above have not used the id up");
  assert.equal(code(signed("m-1", NOW)), "409 replayed");
  assert.equal(code(signed("m-1", NOW + 300), NOW + 599), "409 replayed");
});

test("over HTTP: accepted once, then refused; wrong method and huge body are refused", async () => {
  const accepted: unknown[] = [];
  const accept = (event: unknown): void => void accepted.push(event);
  const deps = { secret: () => KEY, seen: new Map<string, number>(), accept, now: () => NOW * 1000 };
  const server = createServer((req, res) => void handleWebhook(req, res, deps));
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/clawops/webhook`;
  const send = async (request: WebhookRequest): Promise<number> => {
    const headers = {
      "webhook-id": request.id ?? "",
      "webhook-timestamp": request.timestamp ?? "",
      "webhook-signature": request.signature ?? "",
    };
    const response = await fetch(url, { method: "POST", headers, body: new Uint8Array(request.body) });
    await response.text();
    return response.status;
  };
  assert.equal(await send(signed("m-1", NOW)), 202);
  assert.equal(await send(signed("m-1", NOW)), 409);
  assert.equal(await send(signed("m-2", NOW, "not json")), 400);
  assert.equal((await fetch(url)).status, 405);
  assert.equal(await send(signed("m-3", NOW, "x".repeat(300 * 1024))), 413);
  assert.deepEqual(accepted, [{ type: "provision.requested" }]);
  server.close();
  server.closeAllConnections();
});

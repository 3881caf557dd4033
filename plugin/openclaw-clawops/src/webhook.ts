// Standard Webhooks (standardwebhooks.com): is this request from somebody with the secret, fresh, and new?

import { createHmac, timingSafeEqual } from "node:crypto";

export interface WebhookRequest {
  id: string | undefined;
  timestamp: string | undefined;
  signature: string | undefined;
  body: Buffer;
}

export type Verdict = { ok: true } | { ok: false; status: 400 | 401 | 409; code: string; message: string };

export const WINDOW_SECONDS = 300;

const no = (status: 400 | 401 | 409, code: string, message: string): Verdict => ({ ok: false, status, code, message });

/** A secret is written as `whsec_` and base64, or is any other text as it stands. */
export function webhookSecret(text: Buffer): Buffer {
  const secret = text.toString("utf8");
  return secret.startsWith("whsec_") ? Buffer.from(secret.slice("whsec_".length), "base64") : text;
}

/**
 * `seen` maps accepted ids to the second at which they may be forgotten; it is changed only on success, so that a
 * forged request cannot use up an id.
 */
export function verifyWebhook(request: WebhookRequest, secret: Buffer, now: number, seen: Map<string, number>): Verdict {
  const { id, timestamp, signature, body } = request;
  if (!id || !timestamp || !signature) {
    return no(400, "missing_header", "webhook-id, webhook-timestamp and webhook-signature are required");
  }
  if (id.length > 256) return no(400, "bad_id", "webhook-id is longer than 256 characters");
  if (!/^\d{1,12}$/.test(timestamp)) return no(400, "bad_timestamp", "webhook-timestamp must be seconds since 1970");
  const signed = Buffer.concat([Buffer.from(`${id}.${timestamp}.`, "utf8"), body]);
  const wanted = createHmac("sha256", secret).update(signed).digest();
  const genuine = signature.split(" ").some((entry) => {
    if (!entry.startsWith("v1,")) return false;
    const given = Buffer.from(entry.slice(3), "base64");
    return given.length === wanted.length && timingSafeEqual(given, wanted);
  });
  if (!genuine) return no(401, "bad_signature", "no v1 signature matches; is the secret the same on both sides?");
  if (Math.abs(now - Number(timestamp)) > WINDOW_SECONDS) {
    return no(401, "stale", `webhook-timestamp is more than ${WINDOW_SECONDS} seconds away from now`);
  }
  for (const [old, until] of seen) if (until < now) seen.delete(old);
  if (seen.has(id)) return no(409, "replayed", `webhook-id ${id} was accepted before`);
  // Until no timestamp that passes the window can carry this id any more.
  seen.set(id, now + 2 * WINDOW_SECONDS);
  return { ok: true };
}

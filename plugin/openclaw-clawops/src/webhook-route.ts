// The HTTP route for incoming webhooks: reads a bounded body, verifies, and hands on what is genuine and new.

import type { IncomingMessage, ServerResponse } from "node:http";
import { verifyWebhook } from "./webhook.ts";

const LARGEST_BODY = 256 * 1024;

export interface WebhookDeps {
  secret: () => Buffer;
  seen: Map<string, number>;
  accept: (event: unknown) => void;
  now: () => number;
}

export async function handleWebhook(req: IncomingMessage, res: ServerResponse, deps: WebhookDeps): Promise<true> {
  if (req.method !== "POST") {
    res.setHeader("allow", "POST");
    return answer(res, 405, "bad_method", "only POST is understood here");
  }
  const body = await readBody(req);
  if (body === undefined) return answer(res, 413, "too_large", `the body is larger than ${LARGEST_BODY} bytes`);
  const header = (name: string): string | undefined => {
    const value = req.headers[name];
    return Array.isArray(value) ? value[0] : value;
  };
  const verdict = verifyWebhook(
    {
      id: header("webhook-id"),
      timestamp: header("webhook-timestamp"),
      signature: header("webhook-signature"),
      body,
    },
    deps.secret(),
    Math.floor(deps.now() / 1000),
    deps.seen,
  );
  if (!verdict.ok) return answer(res, verdict.status, verdict.code, verdict.message);
  let event: unknown;
  try {
    event = JSON.parse(body.toString("utf8"));
  } catch {
    return answer(res, 400, "not_json", "the body is not JSON");
  }
  deps.accept(event);
  res.statusCode = 202;
  res.setHeader("content-type", "application/json");
  res.end('{"accepted":true}');
  return true;
}

function answer(res: ServerResponse, status: number, code: string, message: string): true {
  res.statusCode = status;
  res.setHeader("content-type", "application/json");
  res.end(JSON.stringify({ error: { code, message } }));
  return true;
}

/** Nothing if it is too large. */
async function readBody(req: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of req) {
    const piece = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk as string);
    size += piece.length;
    if (size > LARGEST_BODY) return undefined;
    chunks.push(piece);
  }
  return Buffer.concat(chunks);
}

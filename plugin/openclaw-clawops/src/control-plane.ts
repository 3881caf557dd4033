// The control plane's REST API, as far as the plugin uses it. Never retries a request that may have acted.

import { type Caller, callerHeader, signature } from "./caller.ts";

export interface ErrorBody {
  code?: string;
  message?: string;
  field?: string;
  value?: unknown;
  fix?: string;
}

/** The control plane said no, or could not be asked. The message is written for whoever reads the tool result. */
export class ControlPlaneError extends Error {
  readonly status: number | undefined;
  readonly body: ErrorBody;

  constructor(status: number | undefined, body: ErrorBody) {
    super(explain(body));
    this.status = status;
    this.body = body;
  }

  /** Nobody answered; nothing is known about the fleet. */
  get away(): boolean {
    return this.status === undefined;
  }
}

function explain(body: ErrorBody): string {
  const where = body.field === undefined ? "" : ` (${body.field} = ${JSON.stringify(body.value ?? null)})`;
  const fix = body.fix === undefined ? "" : `. To do: ${body.fix}`;
  return `${body.code ?? "error"}: ${body.message ?? "the control plane gave no reason"}${where}${fix}`;
}

export interface RequestOptions {
  caller: Caller;
  timeoutMs?: number;
  signal?: AbortSignal | undefined;
}

const DEFAULT_TIMEOUT_MS = 30_000;

export class ControlPlane {
  readonly #url: string;
  readonly #key: () => Buffer;

  constructor(url: string, key: () => Buffer) {
    this.#url = url;
    this.#key = key;
  }

  get(path: string, options: RequestOptions): Promise<unknown> {
    return this.#send("GET", path, "", options);
  }

  post(path: string, body: unknown, options: RequestOptions): Promise<unknown> {
    return this.#send("POST", path, JSON.stringify(body), options);
  }

  async #send(method: string, path: string, body: string, options: RequestOptions): Promise<unknown> {
    const header = callerHeader(options.caller);
    const timeout = AbortSignal.timeout(options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    let response: Response;
    let text: string;
    try {
      response = await fetch(this.#url + path, {
        method,
        headers: {
          "content-type": "application/json",
          "x-clawops-caller": header,
          "x-clawops-signature": signature(this.#key(), { method, path, body }, header),
        },
        ...(method === "GET" ? {} : { body }),
        redirect: "error",
        signal: options.signal === undefined ? timeout : AbortSignal.any([timeout, options.signal]),
      });
      text = await response.text();
    } catch (cause) {
      throw new ControlPlaneError(undefined, {
        code: "control_plane_away",
        message: `the control plane did not answer: ${reason(cause)}. Nothing is known about the fleet right now`,
        fix: "say that the state is unknown; do not repeat the request on your own",
      });
    }
    const answer = parse(text);
    if (response.ok) return answer;
    const error = (answer as { error?: ErrorBody } | undefined)?.error;
    throw new ControlPlaneError(response.status, error ?? { code: `http_${response.status}`, message: text.slice(0, 200) });
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function reason(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  return cause.cause instanceof Error ? `${cause.message} (${cause.cause.message})` : cause.message;
}

// A control plane that answers what a test says, and remembers what it was asked.

import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { ControlPlane } from "../src/control-plane.ts";

export const KEY = Buffer.from("0123456789abcdef0123456789abcdef");

export interface Asked {
  method: string;
  path: string;
  body: string;
  headers: IncomingHttpHeaders;
}

export interface Stub {
  plane: ControlPlane;
  asked: Asked[];
  close(): Promise<void>;
}

export async function stub(answer: (asked: Asked) => { status?: number; body: unknown }): Promise<Stub> {
  const asked: Asked[] = [];
  const server: Server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on("data", (chunk: Buffer) => chunks.push(chunk));
    req.on("end", () => {
      const one = {
        method: req.method ?? "",
        path: req.url ?? "",
        body: Buffer.concat(chunks).toString("utf8"),
        headers: req.headers,
      };
      asked.push(one);
      const { status = 200, body } = answer(one);
      res.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  return {
    plane: new ControlPlane(`http://127.0.0.1:${port}`, () => KEY),
    asked,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

export const claims = (asked: Asked): Record<string, unknown> =>
  JSON.parse(Buffer.from(String(asked.headers["x-clawops-caller"]), "base64url").toString("utf8")) as Record<string, unknown>;

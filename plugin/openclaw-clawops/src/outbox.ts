// Posts that must arrive, in order, also when the control plane is away for a moment. In memory: what the host
// recorded is evidence only while it is fresh, so nothing is gained by keeping it over a restart.

import { PLUGIN_ITSELF } from "./caller.ts";
import { type ControlPlane, ControlPlaneError } from "./control-plane.ts";

interface Post {
  path: string;
  body: unknown;
  done: () => void;
}

interface Log {
  warn(message: string): void;
}

const LONGEST_PAUSE_MS = 5_000;
const MOST_WAITING = 500;

export class Outbox {
  readonly #plane: ControlPlane;
  readonly #log: Log;
  readonly #pause: (ms: number) => Promise<void>;
  readonly #waiting: Post[] = [];
  #running = false;

  constructor(plane: ControlPlane, log: Log, pause: (ms: number) => Promise<void>) {
    this.#plane = plane;
    this.#log = log;
    this.#pause = pause;
  }

  /** Resolves when the control plane has answered, whatever it said. */
  send(path: string, body: unknown): Promise<void> {
    return new Promise((done) => {
      if (this.#waiting.length >= MOST_WAITING) {
        this.#waiting.shift()?.done();
        this.#log.warn("clawops: the control plane has been away for so long that an old record was dropped");
      }
      this.#waiting.push({ path, body, done });
      void this.#run();
    });
  }

  async #run(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    let pauseMs = 200;
    for (let post = this.#waiting[0]; post !== undefined; post = this.#waiting[0]) {
      try {
        await this.#plane.post(post.path, post.body, { caller: PLUGIN_ITSELF, timeoutMs: 5_000 });
      } catch (error) {
        if (error instanceof ControlPlaneError && !error.away && (error.status ?? 0) < 500) {
          this.#log.warn(`clawops: ${post.path} was refused: ${error.message}`);
        } else {
          await this.#pause(pauseMs);
          pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
          continue;
        }
      }
      pauseMs = 200;
      if (this.#waiting[0] === post) this.#waiting.shift();
      post.done();
    }
    this.#running = false;
  }
}

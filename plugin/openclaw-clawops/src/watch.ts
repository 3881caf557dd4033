// Looks at the fleet every few seconds, so that a question for its status costs nothing, and notices when the
// control plane itself is away: then nobody else can say so.

import { PLUGIN_ITSELF } from "./caller.ts";
import type { ControlPlane } from "./control-plane.ts";
import { reason } from "./control-plane.ts";

export interface Alert {
  kind: "CONTROL_PLANE_AWAY" | "CONTROL_PLANE_BACK";
  text: string;
  since: string;
}

export interface FleetStatus {
  controlPlane: "up" | "away" | "not asked yet";
  /** How old the status is. */
  ageMs: number | null;
  fetchedAt: string | null;
  status: unknown;
  lastError: string | null;
}

/** So many looks in a row must fail: a control plane that restarts is back before that. */
const MISSES_BEFORE_AWAY = 3;
const OLDEST_MS = 30_000;

export class ControlPlaneWatch {
  readonly #plane: ControlPlane;
  readonly #deliver: (alert: Alert) => Promise<void>;
  readonly #now: () => number;
  #status: unknown = null;
  #fetchedAt: number | null = null;
  #lastError: string | null = null;
  #misses = 0;
  #awaySince: number | null = null;
  /** What operators were last told, so that they are told once. */
  #told: "up" | "away" = "up";

  constructor(plane: ControlPlane, deliver: (alert: Alert) => Promise<void>, now: () => number = Date.now) {
    this.#plane = plane;
    this.#deliver = deliver;
    this.#now = now;
  }

  async look(): Promise<void> {
    try {
      this.#status = await this.#plane.get("/v1/fleet/status", { caller: PLUGIN_ITSELF, timeoutMs: 5_000 });
      this.#fetchedAt = this.#now();
      this.#lastError = null;
      this.#misses = 0;
    } catch (error) {
      this.#lastError = reason(error);
      if (this.#misses === 0) this.#awaySince = this.#now();
      this.#misses += 1;
    }
    await this.#tell();
  }

  async #tell(): Promise<void> {
    const away = this.#misses >= MISSES_BEFORE_AWAY;
    const since = new Date(this.#awaySince ?? this.#now()).toISOString();
    if (away && this.#told === "up") {
      const text = `ClawOps' control plane has not answered since ${since}. Gateways serve on; nothing can be changed and the fleet's state is unknown.`;
      await this.#deliver({ kind: "CONTROL_PLANE_AWAY", text, since });
      this.#told = "away";
    } else if (this.#misses === 0 && this.#told === "away") {
      await this.#deliver({ kind: "CONTROL_PLANE_BACK", text: "ClawOps' control plane answers again.", since });
      this.#told = "up";
    }
  }

  /** The last status, fetched anew when it is too old to be told. */
  async current(): Promise<FleetStatus> {
    if (this.#fetchedAt === null || this.#now() - this.#fetchedAt > OLDEST_MS) await this.look();
    const away = this.#misses > 0;
    return {
      controlPlane: this.#fetchedAt === null && !away ? "not asked yet" : away ? "away" : "up",
      ageMs: this.#fetchedAt === null ? null : this.#now() - this.#fetchedAt,
      fetchedAt: this.#fetchedAt === null ? null : new Date(this.#fetchedAt).toISOString(),
      status: this.#status,
      lastError: this.#lastError,
    };
  }
}

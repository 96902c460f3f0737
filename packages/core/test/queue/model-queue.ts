import type { DropReason, Priority } from '../../src/queue/index.ts';

/** What the queue promises, written down without any thought of speed. */
export class ModelQueue {
  readonly left: { readonly id: number; readonly how: DropReason | 'shifted' }[] = [];
  #entries: ModelEntry[] = [];
  #tenants = new Map<string, { served: number; weight: number; front: ModelEntry; tag: number }>();
  #virtualTime = 0;
  readonly #bounds: { readonly maxSize: number; readonly maxPerTenant: number; readonly ageingMs: number };

  constructor(bounds: { readonly maxSize: number; readonly maxPerTenant: number; readonly ageingMs: number }) {
    this.#bounds = bounds;
  }

  get size(): number {
    return this.#entries.length;
  }

  sizeOf(tenant: string): number {
    return this.#entries.filter((entry) => entry.tenant === tenant).length;
  }

  push(entry: ModelEntry, weight: number, nowMs: number): string {
    if (entry.deadlineMs <= nowMs) return 'expired';
    this.#expire(nowMs);
    if (this.size >= this.#bounds.maxSize) return 'queue-full';
    if (this.sizeOf(entry.tenant) >= this.#bounds.maxPerTenant) return 'tenant-full';
    this.#entries.push(entry);
    const known = this.#tenants.get(entry.tenant);
    if (known === undefined)
      this.#tenants.set(entry.tenant, { served: this.#virtualTime, weight, front: entry, tag: Number.NaN });
    else known.weight = weight;
    this.#tag();
    return 'accepted';
  }

  shift(nowMs: number): number | undefined {
    this.#expire(nowMs);
    const next = this.#next();
    if (next === undefined) return undefined;
    const tenant = this.#tenants.get(next.tenant);
    if (tenant === undefined) throw new Error('an entry without its tenant');
    this.#virtualTime = tenant.tag;
    tenant.served = tenant.tag;
    this.#leave(next, 'shifted');
    return next.id;
  }

  peek(nowMs: number): number | undefined {
    this.#expire(nowMs);
    return this.#next()?.id;
  }

  cancel(id: number): boolean {
    const entry = this.#entries.find((each) => each.id === id);
    if (entry === undefined) return false;
    this.#leave(entry, 'cancelled');
    return true;
  }

  clear(): void {
    for (const { id } of this.#entries) this.left.push({ id, how: 'cleared' });
    this.#entries = [];
    this.#tag();
  }

  #expire(nowMs: number): void {
    for (const entry of this.#entries.filter(({ deadlineMs }) => deadlineMs <= nowMs)) this.#leave(entry, 'expired');
  }

  #leave(entry: ModelEntry, how: DropReason | 'shifted'): void {
    this.#entries = this.#entries.filter((each) => each !== entry);
    this.left.push({ id: entry.id, how });
    this.#tag();
  }

  #next(): ModelEntry | undefined {
    const fronts = [...this.#tenants.values()].sort((a, b) => a.tag - b.tag || a.front.id - b.front.id);
    return fronts[0]?.front;
  }

  /** Tenants without entries are forgotten; one with another front gets another tag. */
  #tag(): void {
    for (const [name, tenant] of this.#tenants) {
      const front = this.#entries
        .filter((entry) => entry.tenant === name)
        .sort((a, b) => this.#rank(a) - this.#rank(b) || a.id - b.id)[0];
      if (front === undefined) {
        this.#tenants.delete(name);
      } else if (front !== tenant.front || Number.isNaN(tenant.tag)) {
        tenant.front = front;
        tenant.tag = Math.max(this.#virtualTime, tenant.served + front.cost / tenant.weight);
      }
    }
  }

  #rank({ pushedMs, priority }: ModelEntry): number {
    return pushedMs + priority * this.#bounds.ageingMs;
  }
}

export interface ModelEntry {
  /** Counts up. */
  readonly id: number;
  readonly tenant: string;
  readonly priority: Priority;
  readonly cost: number;
  readonly pushedMs: number;
  readonly deadlineMs: number;
}

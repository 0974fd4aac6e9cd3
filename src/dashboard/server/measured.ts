/** A figure with its age. What could not be measured again keeps its old value, its old time, and the reason. */

/** `at` is when the value was measured (ISO), null: never. `problem` is why the newest attempt failed. */
export interface Measured<Value> {
  readonly at: string | null;
  readonly value: Value | null;
  readonly problem: string | null;
}

/** Asks one source, however many look: those who ask while it is being asked get the same answer. */
export class Section<Value> {
  #state: Measured<Value> = { at: null, value: null, problem: null };
  #asking: Promise<Measured<Value>> | undefined;
  #askingNext: Promise<Measured<Value>> | undefined;
  #askedMs = 0;
  #tookMs = 0;

  constructor(
    private readonly read: () => Promise<Value>,
    readonly everyMs: number,
    private readonly withinMs = 15_000,
  ) {}

  get state(): Measured<Value> {
    return this.#state;
  }

  /** Until it is asked again: what takes long to measure is measured less often, so that looking never is most of the work. */
  get pauseMs(): number {
    return Math.max(this.everyMs, 10 * this.#tookMs);
  }

  /** The newest answer where it is younger than `everyMs`, else a fresh one. Never throws. */
  async fresh(): Promise<Measured<Value>> {
    return Date.now() - this.#askedMs < this.pauseMs ? (this.#asking ?? this.#state) : this.ask();
  }

  /** Asks now. Never throws. */
  ask(): Promise<Measured<Value>> {
    this.#asking ??= this.#measure().finally(() => (this.#asking = undefined));
    return this.#asking;
  }

  /** What is true after everything up to now: an answer that is already under way may be older. Never throws. */
  askAnew(): Promise<Measured<Value>> {
    if (!this.#asking) return this.ask();
    this.#askingNext ??= this.#asking.then(() => {
      this.#askingNext = undefined;
      return this.ask();
    });
    return this.#askingNext;
  }

  async #measure(): Promise<Measured<Value>> {
    this.#askedMs = Date.now();
    const at = new Date().toISOString();
    try {
      this.#state = { at, value: await within(this.read(), this.withinMs), problem: null };
    } catch (error) {
      this.#state = { ...this.#state, problem: reasonOf(error) };
    }
    this.#tookMs = Date.now() - this.#askedMs;
    return this.#state;
  }
}

/** What is made of another section's newest value: asked when that is, and as old. */
export function derived<From, Value>(
  section: Section<From>,
  make: (value: From) => Value,
): () => Promise<Value> {
  return async () => {
    const { value, problem } = await section.fresh();
    if (value === null || problem !== null) throw new Error(problem ?? 'not measured yet');
    return make(value);
  };
}

/** One line that a person can use; the text of a service is cut. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error).slice(0, 300);
  const cause = error.cause instanceof Error && error.cause.message ? `: ${error.cause.message}` : '';
  return `${error.message}${cause}`.split('\n')[0]?.slice(0, 300) ?? '';
}

function within<Value>(work: Promise<Value>, ms: number): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms / 1000} s`)), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

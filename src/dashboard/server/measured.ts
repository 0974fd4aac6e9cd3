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
  #askedMs = 0;

  constructor(
    private readonly read: () => Promise<Value>,
    readonly everyMs: number,
    private readonly withinMs = 15_000,
  ) {}

  get state(): Measured<Value> {
    return this.#state;
  }

  /** The newest answer where it is younger than `everyMs`, else a fresh one. Never throws. */
  async fresh(): Promise<Measured<Value>> {
    return Date.now() - this.#askedMs < this.everyMs ? (this.#asking ?? this.#state) : this.ask();
  }

  /** Asks now. Never throws. */
  ask(): Promise<Measured<Value>> {
    this.#asking ??= this.#measure().finally(() => (this.#asking = undefined));
    return this.#asking;
  }

  async #measure(): Promise<Measured<Value>> {
    this.#askedMs = Date.now();
    const at = new Date().toISOString();
    try {
      this.#state = { at, value: await within(this.read(), this.withinMs), problem: null };
    } catch (error) {
      this.#state = { ...this.#state, problem: reasonOf(error) };
    }
    return this.#state;
  }
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

/** Numbers of which nobody knows yet how many there will be, in a typed array: a list of them would fill the heap. */

const FIRST = 1024;

export class Growing<Numbers extends Float32Array | Float64Array> {
  private held: Numbers;
  private count = 0;

  constructor(private readonly make: (size: number) => Numbers) {
    this.held = make(FIRST);
  }

  push(...values: readonly number[]): void {
    if (this.count + values.length > this.held.length) this.grow(this.count + values.length);
    this.held.set(values, this.count);
    this.count += values.length;
  }

  /** What was pushed so far, not copied. */
  get values(): Numbers {
    return this.held.subarray(0, this.count) as Numbers;
  }

  private grow(needed: number): void {
    const larger = this.make(Math.max(needed, Math.ceil(this.held.length * 1.5)));
    larger.set(this.held);
    this.held = larger;
  }
}

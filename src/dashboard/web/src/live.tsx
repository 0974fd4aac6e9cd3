/** What the server measures, as it arrives: one stream for the whole page. */
import { createContext, useContext, useEffect, useState, useSyncExternalStore, type ReactNode } from 'react';
import type { LiveEvent, Sections } from '../../server/hub';
import type { Measured } from '../../server/measured';
import type { RunView } from '../../server/run-view';

type State = { readonly [Name in keyof Sections]?: Measured<Sections[Name]> } & {
  readonly run?: Measured<RunView>;
};

class LiveStore {
  state: State = {};
  /** Until the stream fails: while it opens, nothing is broken. */
  connected = true;
  #source: EventSource | undefined;
  #listeners = new Set<() => void>();

  open(run?: { workflowId: string; runId: string }): void {
    this.#source?.close();
    const { run: _old, ...rest } = this.state;
    this.state = rest;
    const source = new EventSource(`/api/live${run ? `?${new URLSearchParams(run)}` : ''}`);
    source.onopen = () => this.#set(true);
    source.onerror = () => this.#set(false);
    source.onmessage = ({ data }: MessageEvent<string>) => {
      const event = JSON.parse(data) as LiveEvent;
      this.state = { ...this.state, [event.section]: event.state };
      this.#set(true);
    };
    this.#source = source;
    this.#tell();
  }

  close(): void {
    this.#source?.close();
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  #set(connected: boolean): void {
    this.connected = connected;
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

const store = new LiveStore();
const LiveContext = createContext(store);

export function Live({ children }: { readonly children: ReactNode }) {
  useEffect(() => {
    store.open();
    return () => store.close();
  }, []);
  return <LiveContext.Provider value={store}>{children}</LiveContext.Provider>;
}

/** What has not arrived yet. */
const NOTHING_YET: Measured<never> = { at: null, value: null, problem: null };

export function useSection<Name extends keyof Sections>(name: Name): Measured<Sections[Name]> {
  const live = useContext(LiveContext);
  const state = useSyncExternalStore(live.subscribe, () => live.state[name]);
  return (state ?? NOTHING_YET) as Measured<Sections[Name]>;
}

/** Watches one run as long as the page is open. */
export function useLiveRun(workflowId: string, runId: string): Measured<RunView> | undefined {
  const live = useContext(LiveContext);
  useEffect(() => {
    live.open({ workflowId, runId });
    return () => live.open();
  }, [live, workflowId, runId]);
  const measured = useSyncExternalStore(live.subscribe, () => live.state.run);
  return measured?.value && measured.value.runId !== runId ? undefined : measured;
}

export function useConnected(): boolean {
  const live = useContext(LiveContext);
  return useSyncExternalStore(live.subscribe, () => live.connected);
}

/** The clock, for ages; ticks each second. */
export function useNow(): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

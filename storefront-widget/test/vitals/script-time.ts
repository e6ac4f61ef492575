/** How long the widget's scripts keep a page's main thread, by the browser's own trace of it. */
export interface TraceEvent {
  name: string;
  pid: number;
  tid: number;
  /** When it began, in microseconds, and how long it took. */
  ts: number;
  dur?: number;
  /** How long the thread itself worked: what others take of the processor is not in it. */
  tdur?: number;
  args?: { fileName?: string; data?: { url?: string } };
}

/** Reading, running and calling scripts. What they call in turn (drawing, above all) lies within. */
const SCRIPT = /^(EvaluateScript|FunctionCall|v8\.(compile|compileModule|evaluateModule))$/;
/** Where what was awaited goes on; the trace does not say whose. */
const AWAITED = "RunMicrotasks";

/** Milliseconds of scripts below an address; what lies within something counted is not counted twice. */
export function timeOf(events: TraceEvent[], below: string): number {
  const ours = events.filter(({ name, args }) =>
    SCRIPT.test(name)
      ? (args?.fileName ?? args?.data?.url ?? "").includes(below)
      : name === AWAITED,
  );
  ours.sort((a, b) => a.ts - b.ts || (b.dur ?? 0) - (a.dur ?? 0));
  const ends = new Map<string, number>();
  let micros = 0;
  for (const { pid, tid, ts, dur = 0, tdur = dur } of ours) {
    const thread = `${pid} ${tid}`;
    if (ts < (ends.get(thread) ?? 0)) continue;
    ends.set(thread, ts + dur);
    micros += tdur;
  }
  return micros / 1000;
}

/** Loaded before a program by --import: its wall clock is LATE_CLOCK_MS milliseconds ahead. */
const aheadMs = Number(process.env['LATE_CLOCK_MS']);
const now = Date.now;

Date.now = () => now() + aheadMs;
globalThis.Date = new Proxy(Date, {
  construct: (target, args: unknown[], newTarget) =>
    Reflect.construct(target, args.length === 0 ? [now() + aheadMs] : args, newTarget) as Date,
});

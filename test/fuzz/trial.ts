/** One input given to one target: what it answered, or what was broken. */
import { Finding, type Target } from './target.js';

/** Accepted, refused ...: the target's word for its answer. */
export type Trial =
  | { readonly ok: true; readonly verdict: string }
  | { readonly ok: false; readonly oracle: string; readonly message: string };

/** Runs an input and judges what every target has in common: nothing is thrown, and the input is as it was. */
export async function attempt(target: Target, input: Uint8Array): Promise<Trial> {
  const given = input.slice();
  const trial = await judged(target, given);
  if (Buffer.compare(given, input) === 0) return trial;
  return { ok: false, oracle: 'input unchanged', message: `the reader changed its input to ${hexOf(given)}` };
}

async function judged(target: Target, input: Uint8Array): Promise<Trial> {
  try {
    return { ok: true, verdict: await target.run(input) };
  } catch (error) {
    if (error instanceof Finding) return { ok: false, oracle: error.oracle, message: error.message };
    const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
    return { ok: false, oracle: `nothing thrown: ${name}`, message: stack ?? message };
  }
}

/** A smaller input that breaks the same promise: parts are left out, then bytes are made zero, while it still does. */
export async function minimised(target: Target, input: Uint8Array, oracle: string, most = 3_000): Promise<Uint8Array> {
  let best = input;
  let left = most;
  const breaks = async (candidate: Uint8Array): Promise<boolean> => {
    left -= 1;
    const trial = await attempt(target, candidate);
    return !trial.ok && trial.oracle === oracle;
  };
  const shorten = async (repair: (cut: Uint8Array) => Uint8Array): Promise<void> => {
    for (let size = Math.max(1, best.length >> 1); size >= 1 && left > 0; size >>= 1) {
      for (let at = best.length - size; at >= 0 && left > 0; at -= size) {
        const cut = repair(Uint8Array.from([...best.subarray(0, at), ...best.subarray(at + size)]));
        if (cut.length < best.length && (await breaks(cut))) best = cut;
      }
    }
  };
  await shorten((cut) => cut);
  for (let at = 0; at < best.length && left > 0; at += 1) {
    if (best[at] === 0) continue;
    const zeroed = best.slice();
    zeroed[at] = 0;
    if (await breaks(zeroed)) best = zeroed;
  }
  return best;
}

export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

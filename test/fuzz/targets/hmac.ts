/**
 * Signers and a verifier over time: clocks that are set, senders that are started anew, recordings that are played back.
 * The input is a story; the verifier's answers are compared with decision 0019, followed to the letter in whole numbers.
 */
import { HmacSigner } from '../../../agent/wire/hmac-signer.js';
import { stampOf } from '../../../agent/wire/hmac-trailer.js';
import { HMAC_REFUSALS, HmacVerifier } from '../../../agent/wire/hmac-verifier.js';
import { HMAC_KEY } from '../../wire/captured.js';
import { macOf } from '../../wire/hmac-fixture.js';
import { ByteSource } from '../byte-source.js';
import { joined } from '../mutator.js';
import { signature } from '../reference/vrrp.js';
import { must, mustEqual, PACKET_BUDGET, type Target } from '../target.js';
import { advert } from './vrrp-seeds.js';

const START_MS = 1_700_000_000_000;
const WINDOW_MS = 5_000;
const INTERVAL_MS = 1_000;
const MOST_SENDERS = 32;
const MOST_STEPS = 40;
const MESSAGE = advert(3, 4);
const MAC = macOf(HMAC_KEY);

/** A place in time and order, apart: ticks of 1/65536 s since 1970, and the counter. */
type Place = bigint;

const ticksOf = (wallMs: number): Place => (BigInt(Math.floor((wallMs * 65_536) / 1000)) << 16n) & (2n ** 64n - 1n);
const apart = (a: Place, b: Place): bigint => BigInt.asIntN(64, a - b);
/** A span of the clock in the unit of places. */
const span = (ms: number): bigint => (BigInt(ms) << 32n) / 1000n;

/** Decision 0019, "Receiving", "Marks that cannot be reached". */
class ReferenceReceiver {
  readonly marks = new Map<number, { readonly place: Place; readonly nowMs: number }>();

  constructor(private readonly hasWindow: boolean) {}

  judge(source: number, place: Place, wallMs: number, nowMs: number): 'auth-stale' | 'auth-replay' | undefined {
    const clock = ticksOf(wallMs);
    const isTimely = within(apart(place, clock), span(WINDOW_MS));
    const mark = this.marks.get(source);
    if (mark === undefined) return this.hasWindow && !isTimely ? 'auth-stale' : undefined;
    const silenceMs = nowMs - mark.nowMs;
    const isUnreachable = apart(mark.place, clock) > span(WINDOW_MS) && silenceMs > INTERVAL_MS * 1.5;
    if (isUnreachable && isTimely) return undefined;
    const continues = within(apart(place, mark.place) - span(silenceMs), span(WINDOW_MS));
    if (this.hasWindow && !isTimely && !continues) return 'auth-stale';
    return apart(place, mark.place) > 0n ? undefined : 'auth-replay';
  }

  remember(source: number, place: Place, nowMs: number): void {
    this.marks.delete(source);
    const [oldest] = this.marks.keys();
    if (this.marks.size >= MOST_SENDERS && oldest !== undefined) this.marks.delete(oldest);
    this.marks.set(source, { place, nowMs });
  }
}

function within(distance: bigint, most: bigint): boolean {
  return distance <= most && distance >= -most;
}

/** Whether an exact limit is so near that rounding decides, which decision 0019 leaves open. */
function isOnTheEdge(distance: bigint): boolean {
  const rest = (distance < 0n ? -distance : distance) - span(WINDOW_MS);
  return rest < 2n ** 17n && rest > -(2n ** 17n);
}

export function hmacTarget(
  make: (options: ConstructorParameters<typeof HmacVerifier>[0]) => HmacVerifier = (options) =>
    new HmacVerifier(options),
): Target {
  const tell = (input: Uint8Array, isJudged: boolean): string => story(new ByteSource(input), make, isJudged);
  return {
    name: 'hmac',
    what: 'signed advertisements over time: clocks that are set, replays, many senders (decision 0019)',
    files: ['agent/wire/hmac-trailer.ts', 'agent/wire/hmac-signer.ts', 'agent/wire/hmac-verifier.ts'],
    group: 'decoders',
    seeds: seeds(),
    dictionary: [],
    repairs: [],
    maxLength: 400,
    isText: false,
    // A story has up to 40 advertisements of 48 bytes.
    budget: { ...PACKET_BUDGET, steps: 40_000, memory: MOST_STEPS * 65_536 },
    read: (input) => tell(input, false),
    run: (input) => tell(input, true),
  };
}

function seeds(): readonly Uint8Array[] {
  const quiet = Array.from({ length: 8 }, () => [0, 10, 0, 0]).flat();
  const set = [0, 10, 0, 0, 1, 10, 200, 0, 0, 10, 0, 0, 0, 30, 0, 0, 0, 30, 0, 0];
  const many = Array.from({ length: 40 }, (_, i) => [5, 1, 0, i]).flat();
  const replayed = [0, 10, 0, 0, 0, 10, 0, 0, 3, 10, 0, 0, 4, 10, 0, 0, 6, 10, 0, 0, 7, 0, 0, 0, 2, 10, 100, 0];
  return [0, 1, 2, 3].flatMap((mode) => [quiet, set, many, replayed].map((steps) => Uint8Array.from([mode, ...steps])));
}

function story(
  source: ByteSource,
  make: (options: ConstructorParameters<typeof HmacVerifier>[0]) => HmacVerifier,
  isJudged: boolean,
): string {
  const mode = source.byte();
  const replayGuard = (mode & 1) === 0 ? ('time' as const) : ('monotonic' as const);
  const isRequired = (mode & 2) === 0;
  let [receiverMs, senderMs, nowMs] = [START_MS, START_MS, 0];
  const receiverOptions = {
    macs: new Map([[7, MAC]]),
    replayGuard,
    timeWindow: WINDOW_MS * 1000,
    isRequired,
    interval: INTERVAL_MS * 1000,
    wallMs: () => receiverMs,
    now: () => nowMs * 1000,
  };
  let verifier = make(receiverOptions);
  const signerOptions = { keyId: 7, mac: MAC, replayGuard, timeWindow: WINDOW_MS * 1000, wallMs: () => senderMs };
  let signer = new HmacSigner(signerOptions);
  const reference = new ReferenceReceiver(replayGuard === 'time');
  const recorded: Uint8Array[] = [];
  const answers = new Set<string>();
  for (let step = 0; step < MOST_STEPS && !source.isEmpty; step += 1) {
    const [kind, elapsed, change, detail] = [source.byte() % 8, source.byte(), source.byte(), source.byte()];
    const elapsedMs = elapsed * 100;
    nowMs += elapsedMs;
    receiverMs += elapsedMs;
    senderMs += elapsedMs;
    const setMs = (change - 128) * (1 + (detail % 4)) * 250;
    let spoil = false;
    if (kind === 1) senderMs += setMs;
    if (kind === 2) receiverMs += setMs;
    // It is started anew, or gets new settings.
    if (kind === 4) signer = detail % 2 === 0 ? new HmacSigner(signerOptions) : new HmacSigner(signerOptions, signer);
    if (kind === 6) spoil = true;
    if (kind === 7) {
      verifier = new HmacVerifier(receiverOptions, verifier);
      mustEqual(verifier.judgeUnsigned(), isRequired ? 'auth-missing' : undefined, 'unsigned ones');
    }
    const fresh = joined(MESSAGE, signer.trailerOf(MESSAGE, 20, MESSAGE.length));
    const packet = kind === 3 ? (recorded[detail % Math.max(1, recorded.length)] ?? fresh).slice() : fresh;
    if (kind === 3 || kind !== 6) recorded.push(packet.slice());
    if (spoil) packet[MESSAGE.length + (detail % 28)] = (packet[MESSAGE.length + (detail % 28)] ?? 0) ^ (change || 1);
    const sender = kind === 5 ? detail : 1;
    const answer = verifier.judgeSigned(packet, sender, 20, MESSAGE.length);
    answers.add(answer ?? 'accepted');
    if (isJudged) judge(reference, packet, sender, answer, receiverMs, nowMs);
    else if (answer === undefined) reference.remember(sender, 0n, nowMs);
  }
  return [...answers].sort().join(', ') || 'nothing';
}

function judge(
  reference: ReferenceReceiver,
  packet: Uint8Array,
  sender: number,
  answer: string | undefined,
  receiverMs: number,
  nowMs: number,
): void {
  must(answer === undefined || HMAC_REFUSALS.some((one) => one === answer), 'closed list of reasons', () =>
    String(answer),
  );
  const trailer = packet.subarray(MESSAGE.length);
  const place = Buffer.from(trailer).readBigUInt64BE(4);
  mustEqual(stampOf(receiverMs), ticksOf(receiverMs), 'the least stamp of an instant');
  const isGood = Buffer.from(signature(4, packet, MESSAGE.subarray(20), trailer, HMAC_KEY)).equals(
    trailer.subarray(12),
  );
  const mark = reference.marks.get(sender);
  const clock = ticksOf(receiverMs);
  const edges = [
    apart(place, clock),
    ...(mark === undefined ? [] : [apart(mark.place, clock), apart(place, mark.place) - span(nowMs - mark.nowMs)]),
  ];
  let wanted: string | undefined;
  if (trailer[0] !== 1) wanted = 'auth-malformed';
  else if (trailer[1] !== 7) wanted = 'auth-unknown-key';
  else wanted = reference.judge(sender, place, receiverMs, nowMs) ?? (isGood ? undefined : 'auth-invalid');
  const isOpen = edges.some(isOnTheEdge) && trailer[0] === 1 && trailer[1] === 7;
  if (!isOpen) mustEqual(answer, wanted, 'as decision 0019 has it');
  if (answer === undefined) {
    must(isGood, 'nothing with a wrong signature is believed', () => 'accepted');
    reference.remember(sender, place, nowMs);
  }
}

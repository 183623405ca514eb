/** The running controller: opens what is stored, puts the services behind the gate, and stops in good order. */
import { createHash } from 'node:crypto';
import { AgentServiceService } from '../proto/gen/baton/v1/agent_service.js';
import type { Bundle } from '../proto/gen/baton/v1/bundle.js';
import { MailServiceService } from '../proto/gen/baton/v1/mail_service.js';
import { type Finding, ResourceServiceService } from '../proto/gen/baton/v1/resource_service.js';
import type { Resource } from '../proto/gen/baton/v1/resources.js';
import { StatusServiceService } from '../proto/gen/baton/v1/status_service.js';
import { TokenServiceService } from '../proto/gen/baton/v1/token_service.js';
import { descriptorSet } from '../proto/gen/descriptor.js';
import { HealthService } from '../proto/gen/grpc/health/v1/health.js';
import { ServerReflectionService } from '../proto/gen/grpc/reflection/v1/reflection.js';
import { ServerReflectionService as ServerReflectionAlphaService } from '../proto/gen/grpc/reflection/v1alpha/reflection.js';
import type { HostPort } from '../proto/process/host-port.js';
import type { Logger } from '../proto/process/logger.js';
import { AgentHub } from './agents/agent-hub.js';
import { agentService } from './api/agent-service.js';
import { Declarations } from './api/declarations.js';
import { Enrolment } from './api/enrolment.js';
import { healthService } from './api/health-service.js';
import { Listener } from './api/listener.js';
import { mailService } from './api/mail-service.js';
import { DescriptorIndex, reflectionService } from './api/reflection-service.js';
import { resourceService } from './api/resource-service.js';
import { statusService } from './api/status-service.js';
import { tokenService } from './api/token-service.js';
import { Authority } from './identity/authority.js';
import { decideEndpoint, readEndpoint } from './identity/endpoint-names.js';
import { Gate } from './identity/gate.js';
import { Revocations } from './identity/revocations.js';
import { OnePortCredentials } from './identity/server-credentials.js';
import { ensureServerIdentity } from './identity/server-identity.js';
import { keyOf } from './inventory/resource-key.js';
import { createNotifier, type MailDirectory } from './notify/index.js';
import { lockDataDir } from './store/data-dir-lock.js';
import { openStore, type Store } from './store/database.js';
import { deleteEventsBefore } from './store/event-store.js';
import { readRevokedSerials } from './store/node-store.js';
import { loadSealedBox } from './store/sealed-box.js';

/** Our own certificate is looked at this often, in milliseconds. */
const CERTIFICATE_CHECK_MS = 3_600_000;
/** Agents and clients get this long to take their leave, in milliseconds. */
const STOP_GRACE_MS = 2_000;
/** Old events are deleted this often, in milliseconds, and so many at a time: 2.4 million a day. */
const PRUNING_MS = 60_000;
const PRUNED_AT_ONCE = 1_700;

export interface ServeOptions {
  readonly dataDir: string;
  readonly listen: HostPort;
  /** Of node certificates. */
  readonly certificateLifetimeMs: number;
  readonly mailGroupWaitMs: number;
  readonly mailGiveUpAfterMs: number;
  readonly eventRetentionMs: number;
  readonly validate: (resources: readonly Resource[]) => { readonly errors: Finding[]; readonly warnings: Finding[] };
  readonly compile: (resources: readonly Resource[], node: string) => Bundle;
  /** Wall clock. */
  readonly now: () => Date;
  readonly log: Logger;
}

export interface RunningController {
  /** What is listened on. */
  readonly address: HostPort;
  /** Tells agents and clients, writes what is unsaved, closes everything. */
  readonly stop: () => Promise<void>;
}

/** Names of the services on the port, as reflection and health list them. */
export const SERVICES: readonly string[] = [
  'baton.v1.AgentService',
  'baton.v1.MailService',
  'baton.v1.ResourceService',
  'baton.v1.StatusService',
  'baton.v1.TokenService',
  'grpc.health.v1.Health',
  'grpc.reflection.v1.ServerReflection',
  'grpc.reflection.v1alpha.ServerReflection',
];

/** @throws AuthorityError, EndpointError, SealError, StoreError, ListenError */
export async function serve(options: ServeOptions): Promise<RunningController> {
  const { dataDir, now, log } = options;
  const authority = Authority.load(dataDir);
  const endpoint = readEndpoint(dataDir) ?? decideEndpoint([]);
  const box = loadSealedBox(dataDir);
  const credentials = new OnePortCredentials(
    authority.certificatePem,
    await ensureServerIdentity(dataDir, authority, endpoint, now()),
  );
  const unlock = lockDataDir(dataDir);
  let store: Store;
  try {
    store = await openStore(dataDir);
  } catch (error) {
    unlock();
    throw error;
  }
  try {
    const revocations = new Revocations(await readRevokedSerials(store, now()));
    const hash = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex');
    const rules = { validate: options.validate, compile: options.compile, hash };
    const declarations = await Declarations.open({ store, box, rules, now });
    const hub = await AgentHub.open({ store, box, now, log });
    declarations.onBundles = (bundles) => hub.bundlesChanged(bundles);
    declarations.onNodeDeleted = (id) => {
      revocations.revokeSubject(id);
      hub.nodeLeft(id);
    };
    const notifier = createNotifier({
      db: store,
      directory: mailDirectory(declarations),
      log,
      groupWaitMs: options.mailGroupWaitMs,
      giveUpAfterMs: options.mailGiveUpAfterMs,
    });
    hub.eventsStored.listen(() => notifier.wake());
    const isRevoked = revocations.isRevoked.bind(revocations);
    const gate = new Gate({ authority: authority.certificate, isRevoked, now: () => now().getTime(), log });
    const enrolment = new Enrolment({
      store,
      authority,
      declarations,
      hub,
      revocations,
      certificateLifetimeMs: options.certificateLifetimeMs,
      now,
      log,
    });
    const stopping = new AbortController();
    const { signal } = stopping;
    const mail = () => notifier.overview();
    const index = new DescriptorIndex(descriptorSet);
    const listener = new Listener(credentials, gate.interceptor);
    const { server } = listener;
    server.addService(AgentServiceService, agentService(gate, enrolment, hub, log));
    server.addService(MailServiceService, mailService(notifier, log));
    server.addService(ResourceServiceService, resourceService(gate, declarations, log));
    server.addService(
      StatusServiceService,
      statusService({ store, declarations, hub, mail, now, stopping: signal, log }),
    );
    server.addService(TokenServiceService, tokenService(store, authority.pin, now, log));
    server.addService(HealthService, healthService(SERVICES, signal, log));
    server.addService(ServerReflectionService, reflectionService(index, SERVICES));
    server.addService(ServerReflectionAlphaService, reflectionService(index, SERVICES));
    const address = await listener.listen(options.listen);
    notifier.start();
    const renewal = setInterval(() => {
      ensureServerIdentity(dataDir, authority, endpoint, now()).then(
        (identity) => credentials.replace(identity),
        (error: unknown) => log.error({ err: error }, 'the certificate of the port could not be renewed'),
      );
    }, CERTIFICATE_CHECK_MS).unref();
    const pruning = setInterval(() => {
      const before = new Date(now().getTime() - options.eventRetentionMs);
      deleteEventsBefore(store, before, PRUNED_AT_ONCE).catch((error: unknown) =>
        log.error({ err: error }, 'old events could not be deleted'),
      );
    }, PRUNING_MS).unref();
    return {
      address,
      stop: async () => {
        clearInterval(renewal);
        clearInterval(pruning);
        stopping.abort();
        await hub.stop();
        await listener.stop(STOP_GRACE_MS);
        await hub.flush();
        await notifier.stop();
        await store.destroy();
        unlock();
      },
    };
  } catch (error) {
    await store.destroy();
    unlock();
    throw error;
  }
}

/** What the notifier asks of the declarations; the answers are those of the moment. */
function mailDirectory(declarations: Declarations): MailDirectory {
  const spec = (kind: string, name: string) => declarations.current.inventory.get(keyOf(kind, name))?.spec;
  return {
    virtualRouter: async (name) => {
      const found = spec('VirtualRouter', name);
      return found?.$case === 'virtualRouter' ? found.value : undefined;
    },
    syncGroup: async (name) => {
      const found = spec('SyncGroup', name);
      return found?.$case === 'syncGroup' ? found.value : undefined;
    },
    groupOf: async (router) => {
      for (const resource of declarations.current.inventory.values()) {
        if (resource.spec?.$case === 'syncGroup' && resource.spec.value.routers.includes(router)) {
          return resource.spec.value;
        }
      }
      return undefined;
    },
    emailReceiver: async (name) => {
      const found = spec('Receiver', name);
      return found?.$case === 'receiver' && found.value.kind?.$case === 'email' ? found.value.kind.value : undefined;
    },
    secret: async (name) => {
      const found = spec('Secret', name);
      return found?.$case === 'secret' ? found.value.value : undefined;
    },
  };
}

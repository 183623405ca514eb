/** How our clients dial a controller: TLS 1.3, its own authority and no other, its name or address checked. */
import { isIP } from 'node:net';
import { checkServerIdentity, createSecureContext } from 'node:tls';
import { type ChannelCredentials, type ChannelOptions, credentials } from '@grpc/grpc-js';
import { formatHostPort, type HostPort } from './host-port.js';

/** Where to, and who we are to each other. All PEM. */
export interface ChannelIdentity {
  readonly ca: string;
  /** Both absent while joining. */
  readonly certificate?: string;
  readonly privateKey?: string;
}

export interface SecureChannel {
  /** First argument of a client's constructor. */
  readonly target: string;
  readonly credentials: ChannelCredentials;
  readonly options: ChannelOptions;
}

/** Server name that is sent instead of an IP address, which RFC 6066 section 3 does not allow there. */
const NAME_FOR_ADDRESSES = 'baton-controller';

/** @throws when a PEM text is of no use */
export function secureChannel(controller: HostPort, identity: ChannelIdentity): SecureChannel {
  const context = createSecureContext({
    ca: identity.ca,
    minVersion: 'TLSv1.3',
    ...(identity.certificate === undefined ? {} : { cert: identity.certificate }),
    ...(identity.privateKey === undefined ? {} : { key: identity.privateKey }),
  });
  return {
    target: `dns:${formatHostPort(controller)}`,
    credentials: credentials.createFromSecureContext(context, {
      // Whatever name TLS was given, the certificate must be for what was dialled.
      checkServerIdentity: (_name, certificate) => checkServerIdentity(controller.host, certificate),
    }),
    options: {
      // A proxy that happens to be in the environment has no business between us.
      'grpc.enable_http_proxy': 0,
      // Its answer in DNS could set retries and limits.
      'grpc.service_config_disable_resolution': 1,
      ...(isIP(controller.host) === 0 ? {} : { 'grpc.ssl_target_name_override': NAME_FOR_ADDRESSES }),
    },
  };
}

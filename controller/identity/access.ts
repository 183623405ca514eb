/** Who may call what. A method that is not listed here can be called by nobody; a test compares the list with the services. */
import type { Role } from './peer-certificate.js';

/** Roles that may call a method; 'anyone' needs no certificate. */
export type Access = readonly Role[] | 'anyone';

const OPERATOR: Access = ['operator'];
const AGENT: Access = ['agent'];
const BOTH: Access = ['agent', 'operator'];

/** By full method path. */
export const ACCESS: ReadonlyMap<string, Access> = new Map<string, Access>([
  ['/baton.v1.AgentService/Enroll', 'anyone'],
  ['/baton.v1.AgentService/RenewCertificate', AGENT],
  ['/baton.v1.AgentService/Session', AGENT],
  ['/baton.v1.ResourceService/Apply', OPERATOR],
  ['/baton.v1.ResourceService/GetResource', OPERATOR],
  ['/baton.v1.ResourceService/ListResources', OPERATOR],
  ['/baton.v1.ResourceService/DeleteResource', OPERATOR],
  ['/baton.v1.StatusService/GetStatus', OPERATOR],
  ['/baton.v1.StatusService/WatchStatus', OPERATOR],
  ['/baton.v1.StatusService/GetNodeStatus', OPERATOR],
  ['/baton.v1.StatusService/ListEvents', OPERATOR],
  ['/baton.v1.StatusService/FollowEvents', OPERATOR],
  ['/baton.v1.TokenService/CreateToken', OPERATOR],
  ['/baton.v1.TokenService/ListTokens', OPERATOR],
  ['/baton.v1.TokenService/RevokeToken', OPERATOR],
  ['/baton.v1.MailService/SendTestMail', OPERATOR],
  ['/grpc.health.v1.Health/Check', BOTH],
  ['/grpc.health.v1.Health/List', BOTH],
  ['/grpc.health.v1.Health/Watch', BOTH],
  ['/grpc.reflection.v1.ServerReflection/ServerReflectionInfo', OPERATOR],
  ['/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo', OPERATOR],
]);

/** Calls whose handler, not the interceptor, decides how long the client may take to speak. */
export const LONG_CALLS: ReadonlySet<string> = new Set([
  '/baton.v1.AgentService/Session',
  '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
  '/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo',
]);

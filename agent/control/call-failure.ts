/** What went wrong with a call, as a sentence for the host's owner. */
import { type ServiceError, status } from '@grpc/grpc-js';

/** @param where HOST:PORT of the controller. */
export function describeCallFailure(error: ServiceError, where: string): string {
  const details = error.details;
  switch (error.code) {
    case status.UNAVAILABLE:
      return describeUnavailable(details, where);
    case status.DEADLINE_EXCEEDED:
      return `the controller at ${where} did not answer in time`;
    case status.UNIMPLEMENTED:
      return `what listens on ${where} is not a Baton controller, or one of another version`;
    default:
      return `the controller at ${where} refused: ${details}`;
  }
}

function describeUnavailable(details: string, where: string): string {
  if (/ECONNREFUSED/.test(details)) return `nothing listens on ${where}`;
  if (/ENOTFOUND|EAI_AGAIN|Name resolution failed/.test(details)) return `the name in ${where} cannot be resolved`;
  if (/EHOSTUNREACH|ENETUNREACH/.test(details)) return `there is no route to ${where}`;
  if (/altnames/.test(details)) return `the certificate of the controller at ${where} is for another name`;
  if (/self[- ]signed|unable to (verify|get)|signature failure/.test(details)) {
    return `the controller at ${where} is not of the authority that this host joined`;
  }
  if (/certificate has expired|certificate is not yet valid/.test(details)) {
    return `the certificate of the controller at ${where} is not valid now; is this host's clock right?`;
  }
  return `the connection to ${where} failed: ${details}`;
}
